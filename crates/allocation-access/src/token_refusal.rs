/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// It is not a signed JSON Web Token.
    #[error("the token is malformed: part of it may be missing")]
    Malformed,
    /// Its algorithm is not accepted.
    #[error("the token is not signed with RS256, ES256 or EdDSA")]
    Algorithm,
    /// The issuer has no such key.
    #[error("the token is signed with a key that its issuer does not publish")]
    UnknownKey,
    /// Its signature does not fit.
    #[error("the signature of the token is wrong")]
    Signature,
    /// Another issuer issued it.
    #[error("the token is of another issuer")]
    Issuer,
    /// It is meant for others.
    #[error("the token is for another audience")]
    Audience,
    /// It names no subject that can be recorded.
    #[error("the token has no subject of 1 to 255 bytes without control characters")]
    Subject,
    /// It has expired.
    #[error("the token has expired")]
    Expired,
    /// Its time has not come.
    #[error("the token is not valid yet")]
    NotYetValid,
}
