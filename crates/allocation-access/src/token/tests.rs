use super::*;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    RsaPublicKeyComponents,
};
use serde_json::{Value, json};

/// An RSA key of 2,048 bits that signs nothing but the tokens of these tests.
const RSA: &[u8] = include_bytes!("rsa_of_tests.pk8");
/// 2027-01-15T08:00:00Z.
const NOW: i64 = 1_800_000_000;

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

/// An issuer with a key of each algorithm.
struct Issuer {
    rsa: RsaKeyPair,
    ecdsa: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
    random: SystemRandom,
}

impl Issuer {
    fn new() -> Self {
        let random = SystemRandom::new();
        let ecdsa = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let ed25519 = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        Self {
            rsa: RsaKeyPair::from_pkcs8(RSA).unwrap(),
            ecdsa: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, ecdsa.as_ref(), &random).unwrap(),
            ed25519: Ed25519KeyPair::from_pkcs8(ed25519.as_ref()).unwrap(),
            random,
        }
    }

    fn rsa_public(&self) -> RsaPublicKeyComponents<Vec<u8>> {
        self.rsa.public().into()
    }

    fn keys(&self) -> TokenKeys {
        let RsaPublicKeyComponents { n, e } = self.rsa_public();
        let point = self.ecdsa.public_key().as_ref();
        let set = json!({ "keys": [
            { "kty": "RSA", "kid": "rsa", "use": "sig", "alg": "RS256",
                "n": encode(n), "e": encode(e) },
            { "kty": "EC", "kid": "ec", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..]) },
            { "kty": "OKP", "kid": "ed", "crv": "Ed25519", "x": encode(self.ed25519.public_key()) },
        ] });
        TokenKeys::parse(set.to_string().as_bytes()).unwrap()
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let signature = match header["alg"].as_str() {
            Some("RS256") => {
                let mut signature = vec![0; self.rsa.public().modulus_len()];
                self.rsa.sign(&RSA_PKCS1_SHA256, &self.random, message.as_bytes(), &mut signature).unwrap();
                signature
            }
            Some("ES256") => self.ecdsa.sign(&self.random, message.as_bytes()).unwrap().as_ref().to_vec(),
            Some("EdDSA") => self.ed25519.sign(message.as_bytes()).as_ref().to_vec(),
            _ => Vec::new(),
        };
        format!("{message}.{}", encode(signature))
    }

    /// A valid token, with some claims replaced; `null` removes one.
    fn issue(&self, replaced: Value) -> String {
        self.sign(&json!({ "alg": "EdDSA", "kid": "ed" }), &claims(replaced))
    }
}

fn claims(replaced: Value) -> Value {
    let mut claims = json!({
        "iss": "https://id.example", "sub": "user-7", "aud": "stock", "exp": NOW + 300, "scope": "read orders:write",
    });
    for (name, value) in replaced.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

fn rules() -> TokenRules {
    TokenRules { issuer: "https://id.example".to_owned(), audience: "stock".to_owned() }
}

fn verify(issuer: &Issuer, token: &str) -> Result<Token, TokenRefusal> {
    Token::verify(token, &issuer.keys(), &rules(), at(NOW))
}

#[test]
fn a_token_of_each_algorithm_is_accepted() {
    let issuer = Issuer::new();
    for (alg, kid) in [("RS256", "rsa"), ("ES256", "ec"), ("EdDSA", "ed")] {
        for header in [json!({ "alg": alg, "kid": kid, "typ": "at+jwt" }), json!({ "alg": alg })] {
            let token = verify(&issuer, &issuer.sign(&header, &claims(json!({})))).unwrap();
            assert_eq!(token.actor().to_string(), "token:user-7", "{header}");
            assert_eq!(token.scopes().to_string(), "read orders:write");
            assert_eq!(token.expires_at(), at(NOW + 300));
            assert!(token.is_signed_with_one_of(&issuer.keys()));
        }
    }
}

#[test]
fn an_unsigned_token_and_one_signed_with_a_public_key_are_refused() {
    let issuer = Issuer::new();
    for alg in ["none", "None", "HS256", "RS512", "PS256", "ES384", "rs256", ""] {
        let unsigned = issuer.sign(&json!({ "alg": alg, "kid": "rsa" }), &claims(json!({})));
        assert_eq!(verify(&issuer, &unsigned), Err(TokenRefusal::Algorithm), "{alg}");
    }
    // The signature of an HMAC would be made with the public key, which everybody has.
    let header = encode(json!({ "alg": "HS256", "kid": "rsa" }).to_string());
    let message = format!("{header}.{}", encode(claims(json!({})).to_string()));
    let public = issuer.rsa_public().n;
    let tag = ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &public), message.as_bytes());
    assert_eq!(verify(&issuer, &format!("{message}.{}", encode(tag))), Err(TokenRefusal::Algorithm));
}

#[test]
fn the_key_of_another_algorithm_or_of_nobody_verifies_nothing() {
    let issuer = Issuer::new();
    for (alg, kid) in [("RS256", "ec"), ("ES256", "ed"), ("EdDSA", "rsa"), ("EdDSA", "gone")] {
        let token = issuer.sign(&json!({ "alg": alg, "kid": kid }), &claims(json!({})));
        assert_eq!(verify(&issuer, &token), Err(TokenRefusal::UnknownKey), "{alg} {kid}");
    }
    let other = Issuer::new().issue(json!({}));
    assert_eq!(verify(&issuer, &other), Err(TokenRefusal::Signature));
}

#[test]
fn a_changed_token_is_refused() {
    let issuer = Issuer::new();
    let token = issuer.issue(json!({}));
    let [header, _, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("{token}") };
    let more = format!("{header}.{}.{signature}", encode(claims(json!({ "scope": "admin" })).to_string()));
    assert_eq!(verify(&issuer, &more), Err(TokenRefusal::Signature));
    let unsigned = format!("{header}.{}.", encode(claims(json!({})).to_string()));
    assert_eq!(verify(&issuer, &unsigned), Err(TokenRefusal::Signature));
    for cut in (0..token.len()).step_by(7) {
        assert!(verify(&issuer, &token[..cut]).is_err(), "{cut}");
    }
}

#[test]
fn a_text_of_another_form_is_malformed() {
    let issuer = Issuer::new();
    let token = issuer.issue(json!({}));
    let critical = issuer.sign(&json!({ "alg": "EdDSA", "kid": "ed", "crit": ["b64"] }), &claims(json!({})));
    let logout = issuer.sign(&json!({ "alg": "EdDSA", "kid": "ed", "typ": "logout+jwt" }), &claims(json!({})));
    let padded = format!("{token}=");
    let long = issuer.issue(json!({ "more": "x".repeat(Token::MAX_BYTES) }));
    let nested = format!("{token}.{token}");
    let twice = format!(
        "{}.{}.{}",
        encode(r#"{"alg":"EdDSA","alg":"none"}"#),
        encode(claims(json!({})).to_string()),
        encode("signature")
    );
    for text in ["", ".", "..", "a.b", "a.b.c", &critical, &logout, &padded, &long, &nested, &twice, "alloc_x", "ä.ö.ü"]
    {
        assert_eq!(verify(&issuer, text), Err(TokenRefusal::Malformed), "{text}");
    }
}

#[test]
fn a_token_needs_the_issuer_the_audience_and_a_subject() {
    let issuer = Issuer::new();
    for (replaced, expected) in [
        (json!({ "iss": "https://id.example/" }), TokenRefusal::Issuer),
        (json!({ "iss": null }), TokenRefusal::Issuer),
        (json!({ "aud": "Stock" }), TokenRefusal::Audience),
        (json!({ "aud": ["shop", "crm"] }), TokenRefusal::Audience),
        (json!({ "aud": [] }), TokenRefusal::Audience),
        (json!({ "aud": null }), TokenRefusal::Audience),
        (json!({ "sub": null }), TokenRefusal::Subject),
        (json!({ "sub": "a\nb" }), TokenRefusal::Subject),
        (json!({ "sub": "s".repeat(256) }), TokenRefusal::Subject),
        (json!({ "exp": null }), TokenRefusal::Malformed),
        (json!({ "exp": "soon" }), TokenRefusal::Malformed),
        (json!({ "exp": -1 }), TokenRefusal::Malformed),
        (json!({ "exp": 1e300 }), TokenRefusal::Malformed),
    ] {
        assert_eq!(verify(&issuer, &issuer.issue(replaced.clone())), Err(expected), "{replaced}");
    }
    assert!(verify(&issuer, &issuer.issue(json!({ "aud": ["shop", "stock"] }))).is_ok());
}

#[test]
fn a_token_is_valid_from_its_start_to_its_end_give_or_take_ten_seconds() {
    let issuer = Issuer::new();
    let token = issuer.issue(json!({ "nbf": NOW - 300, "exp": 1_800_000_000.5 }));
    let verify = |now| Token::verify(&token, &issuer.keys(), &rules(), at(now)).map(|_| ());
    assert_eq!(verify(NOW - 311), Err(TokenRefusal::NotYetValid));
    assert_eq!((verify(NOW - 310), verify(NOW + 10)), (Ok(()), Ok(())));
    assert_eq!(verify(NOW + 11), Err(TokenRefusal::Expired));
}

#[test]
fn scopes_are_a_text_or_an_array_and_unknown_ones_are_ignored() {
    let issuer = Issuer::new();
    for (replaced, expected) in [
        (json!({ "scope": "openid admin" }), "admin"),
        (json!({ "scope": ["read", "events:read"] }), "read events:read"),
        (json!({ "scope": null, "scp": ["picking:write"] }), "picking:write"),
        (json!({ "scope": null }), ""),
        (json!({ "scope": "Read" }), ""),
    ] {
        let token = verify(&issuer, &issuer.issue(replaced.clone())).unwrap();
        assert_eq!(token.scopes().to_string(), expected, "{replaced}");
    }
}
