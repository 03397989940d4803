//! Names that look alike, and names with special characters.

use allocation_domain::{BatchReference, OrderId, PickListId, Sku};

/// magento2#10080, #12300: a byte order mark, a soft hyphen or a decomposed letter would make another product.
#[test]
fn a_name_has_no_invisible_twin() {
    for name in ["CHAIR", "M\u{f6}bel"] {
        assert!(Sku::parse(name).is_ok(), "{name:?}");
    }
    for twin in [
        "\u{feff}CHAIR",
        "CHAIR\u{feff}",
        "CHA\u{200b}IR",
        "CHA\u{200d}IR",
        "CHA\u{ad}IR",
        "\u{202e}CHAIR",
        "\u{2066}CHAIR\u{2069}",
        "Mo\u{308}bel",
    ] {
        assert!(Sku::parse(twin).is_err(), "{twin:?}");
        assert!(BatchReference::parse(twin).is_err(), "{twin:?}");
        assert!(OrderId::parse(twin).is_err(), "{twin:?}");
        assert!(PickListId::parse(twin).is_err(), "{twin:?}");
    }
}

/// magento2#8615, #23043: characters that a path reserves are characters like others.
#[test]
fn a_name_has_reserved_characters() {
    for name in ["A/B", "A+B", "100 %", "A%2FB"] {
        assert_eq!(Sku::parse(name).unwrap().as_str(), name);
        assert_eq!(BatchReference::parse(name).unwrap().as_str(), name);
        assert_eq!(OrderId::parse(name).unwrap().as_str(), name);
        assert_eq!(PickListId::parse(name).unwrap().as_str(), name);
    }
}
