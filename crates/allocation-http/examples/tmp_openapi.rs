fn main() {
    print!("{}", allocation_http::openapi_json())
}
