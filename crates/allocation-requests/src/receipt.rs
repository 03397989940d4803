use crate::date::parse_date;
use crate::json::{FromJson, Json};
use crate::validation_error::ValidationErrors;
use allocation_domain::{BatchReference, Eta, OverReceipt, Receipt, ReceiptId, RestTerms, Units};

/// A request to receive units of a batch, which its path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptRequest {
    receipt_id: ReceiptId,
    kept: Units,
    rejected: Units,
    rest: Option<RestTerms>,
    over: OverReceipt,
}

impl ReceiptRequest {
    /// Returns the receipt of a batch.
    ///
    /// # Errors
    ///
    /// [`ValidationErrors`] if no unit arrived, or too many.
    pub fn of_batch(self, reference: BatchReference) -> Result<Receipt, ValidationErrors> {
        let Self { receipt_id, kept, rejected, rest, over } = self;
        let receipt = Receipt::new(receipt_id, reference, kept, rejected);
        let receipt = receipt.map_err(|error| ValidationErrors::at("/qty", error))?;
        Ok(receipt.with_rest(rest).with_over(over))
    }
}

impl FromJson for ReceiptRequest {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let mut receipt = json.object()?;
        let (receipt_id, kept) = (receipt.required("receipt_id"), receipt.required("qty"));
        let rejected = receipt.optional("rejected").unwrap_or(Units::ZERO);
        let rest = receipt.optional("rest").map_or_else(|| Some(RestTerms::default()), |RestMember(rest)| rest);
        let over = receipt.optional("over").unwrap_or_default();
        receipt.finish(|| Some(Self { receipt_id: receipt_id?, kept: kept?, rejected, rest, over }))
    }
}

/// What becomes of the rest; null gives it up.
struct RestMember(Option<RestTerms>);

impl FromJson for RestMember {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        if json.is_null() {
            return Ok(Self(None));
        }
        let mut rest = json.object()?;
        let reference = rest.optional("reference");
        let eta = rest.optional("eta").map(|DueDate(eta)| eta);
        rest.finish(|| Some(Self(Some(RestTerms { reference, eta }))))
    }
}

/// The date of units that are still expected.
struct DueDate(Eta);

impl FromJson for DueDate {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        const RULE: &str = "must be a date of the calendar, written YYYY-MM-DD";
        let date = json.string().and_then(|text| parse_date(&text)).ok_or_else(|| ValidationErrors::of_value(RULE))?;
        Eta::new(Some(date)).map(Self).map_err(ValidationErrors::of_value)
    }
}

impl FromJson for OverReceipt {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let name = json.string().ok_or_else(|| json.is_not(&format!("one of {}", Self::NAMES.join(", "))))?;
        name.parse().map_err(ValidationErrors::of_value)
    }
}
