//! Blocks of events, as units of work write them.

use crate::columns::columns;
use crate::error::failed;
use crate::row::integer;
use allocation_domain::{Changes, Event, OrderId, Sku};
use allocation_ports::{Actor, CausationId, EventContexts, StoreError, Subject, TraceParent};
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use serde::{Serialize, Serializer};
use std::collections::BTreeSet;

/// The maximum number of events in a block.
pub(crate) const MAX_EVENTS: usize = 256;
/// The size in bytes at which a block ends.
const MAX_BYTES: usize = 128 * 1024;
/// The maximum number of microseconds between the first event of a block and any other. A repair moves a block as a
/// whole, so events of a product whose clock was ahead have blocks of their own.
const MAX_SPAN: i64 = 1_000_000;
/// The multiple of the prune limit that is scanned, to find an old event behind a run of events from the
/// future.
pub(crate) const LOOK_AHEAD: i64 = 5;

columns! {
    /// A block without a position.
    #[derive(Debug)]
    struct OutboxBlock, set OutboxBlocks<'a> {
        event_count: Integer => i32,
        occurred_at: BigInt => i64,
        types: Text => String,
        /// Hashes of the subjects, as a JSON array.
        keys: Text => String,
        causes: Nullable<Text> => Option<String>,
        events: Text => String,
    }
}

/// An event in a block: SKU, version, ordinal, microseconds after the block's instant, type, order id,
/// reference of a batch, traceparent, causation id, event, actor.
type Fields<'a> = (
    &'a str,
    u64,
    usize,
    i64,
    &'a str,
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
    &'a Event,
    StoredActor<'a>,
);

/// The element for an actor: 0 for a caller without credentials, which most logs consist of, and text for others.
struct StoredActor<'a>(&'a Actor);

impl Serialize for StoredActor<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Actor::Anonymous => serializer.serialize_u8(0),
            Actor::Unknown => serializer.serialize_none(),
            actor => serializer.collect_str(actor),
        }
    }
}

/// Collects the events of a unit of work into blocks.
#[derive(Debug, Default)]
pub(crate) struct BlockWriter {
    blocks: Vec<OutboxBlock>,
    count: usize,
    occurred_at: i64,
    types: BTreeSet<&'static str>,
    keys: BTreeSet<i32>,
    causes: BTreeSet<i32>,
    /// The JSON array of the events, without its closing bracket.
    events: Vec<u8>,
}

impl BlockWriter {
    /// Adds the events of a product, which occurred at an instant in microseconds.
    pub(crate) fn push(
        &mut self,
        product: &Changes<'_>,
        occurred_at: i64,
        contexts: &EventContexts,
    ) -> Result<(), StoreError> {
        for (ordinal, event) in product.events.iter().enumerate() {
            let full = self.count == MAX_EVENTS || self.events.len() >= MAX_BYTES;
            if self.count > 0 && (full || self.occurred_at.abs_diff(occurred_at) > MAX_SPAN.unsigned_abs()) {
                self.end_block()?;
            }
            if self.count == 0 {
                self.occurred_at = occurred_at;
            }
            let subject = Subject::of(event);
            let context = contexts.of(product.sku, ordinal);
            let causation_id = context.and_then(|context| context.causation_id.as_ref()).map(CausationId::as_str);
            let reference = match &subject {
                Subject::Batch(reference) => Some(reference.as_str()),
                Subject::Order(_) | Subject::Product(_) => None,
            };
            let fields: Fields<'_> = (
                product.sku.as_str(),
                product.version,
                ordinal,
                occurred_at - self.occurred_at,
                event.name(),
                event.order_id().map(OrderId::as_str),
                reference,
                context.and_then(|context| context.traceparent.as_ref()).map(TraceParent::as_str),
                causation_id,
                event,
                StoredActor(context.map_or(&Actor::Anonymous, |context| &context.actor)),
            );
            self.events.push(if self.count == 0 { b'[' } else { b',' });
            serde_json::to_writer(&mut self.events, &fields).map_err(failed)?;
            self.count += 1;
            self.types.insert(event.name());
            self.keys.insert(subject_key(&subject));
            if event.moved_units().is_some() {
                self.keys.insert(movement_key(product.sku));
            }
            self.causes.extend(causation_id.map(cause_key));
        }
        Ok(())
    }

    /// Returns the blocks, in order.
    pub(crate) fn finish(mut self) -> Result<Vec<OutboxBlock>, StoreError> {
        if self.count > 0 {
            self.end_block()?;
        }
        Ok(self.blocks)
    }

    fn end_block(&mut self) -> Result<(), StoreError> {
        let blocks = std::mem::take(&mut self.blocks);
        let Self { count, occurred_at, types, keys, causes, mut events, .. } =
            std::mem::replace(self, Self { blocks, ..Self::default() });
        events.push(b']');
        let causes = (!causes.is_empty()).then_some(causes);
        self.blocks.push(OutboxBlock {
            event_count: integer(count)?,
            occurred_at,
            types: types.into_iter().collect::<Vec<_>>().join(","),
            keys: serde_json::to_string(&keys).map_err(failed)?,
            causes: causes.map(|causes| serde_json::to_string(&causes)).transpose().map_err(failed)?,
            events: String::from_utf8(events).map_err(failed)?,
        });
        Ok(())
    }
}

/// Returns the hash by which the index of blocks finds a subject.
pub(crate) fn subject_key(subject: &Subject) -> i32 {
    match subject {
        Subject::Order(order_id) => hash(b'o', order_id.as_str()),
        Subject::Batch(reference) => hash(b'b', reference.as_str()),
        Subject::Product(sku) => hash(b'p', sku.as_str()),
    }
}

/// Returns the hash by which the index of blocks finds the movements of a product.
pub(crate) fn movement_key(sku: &Sku) -> i32 {
    hash(b'm', sku.as_str())
}

/// Returns the hash by which the index of blocks finds the events that a command has caused.
pub(crate) fn cause_key(causation_id: &str) -> i32 {
    hash(b'c', causation_id)
}

/// Computes the 64-bit FNV-1a hash, folded to 32 bits. Hashes are stored, so the function must not change.
fn hash(kind: u8, name: &str) -> i32 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = std::iter::once(kind).chain(name.bytes()).fold(0xcbf2_9ce4_8422_2325, step);
    let [a, b, c, d, e, f, g, h] = hash.to_be_bytes();
    i32::from_be_bytes([a ^ e, b ^ f, c ^ g, d ^ h])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block_row::BlockRow;
    use allocation_domain::{BatchReference, Eta, NewBatch, Product, Quantity, Sku};
    use chrono::DateTime;

    /// Creates a product with batches.
    fn product(name: &str, batches: usize) -> Product {
        let mut product = Product::new(Sku::parse(name).unwrap());
        for number in 0..batches {
            let reference = BatchReference::parse(format!("{name}-\"{number}\"")).unwrap();
            let batch = NewBatch::new(reference, Quantity::new(1).unwrap(), Eta::InStock);
            product.add_batch(batch, DateTime::UNIX_EPOCH).unwrap();
        }
        product
    }

    fn blocks(products: &[(&Product, i64)]) -> Vec<OutboxBlock> {
        let mut writer = BlockWriter::default();
        for (product, at) in products {
            writer.push(&product.changes(), *at, &EventContexts::default()).unwrap();
        }
        writer.finish().unwrap()
    }

    #[test]
    fn the_events_of_a_unit_of_work_are_one_block_up_to_its_bounds() {
        let (lamp, rug) = (product("LAMP", 200), product("RUG", 100));
        let counts =
            |products: &[(&Product, i64)]| blocks(products).iter().map(|block| block.event_count).collect::<Vec<_>>();
        assert_eq!(counts(&[]), Vec::<i32>::new());
        assert_eq!(counts(&[(&rug, 5)]), [100]);
        assert_eq!(counts(&[(&lamp, 5), (&rug, 6)]), [256, 44]);
        assert_eq!(counts(&[(&rug, 0), (&lamp, MAX_SPAN + 1)]), [100, 200], "a clock was ahead");
    }

    #[test]
    fn events_are_read_as_they_were_written() {
        let (lamp, rug) = (product("LAMP", 2), product("RUG", 1));
        let written = blocks(&[(&lamp, 7), (&rug, 5)]).remove(0);
        let row = BlockRow { first_position: 40, occurred_at: written.occurred_at, events: written.events };
        let read = row.events().unwrap();
        let expected: Vec<_> = lamp.events().iter().chain(rug.events()).collect();
        assert!(
            read.iter()
                .map(|event| event.json.to_owned())
                .eq(expected.iter().map(|event| serde_json::to_string(event).unwrap()))
        );
        assert_eq!(read.iter().map(|event| event.position).collect::<Vec<_>>(), [40, 41, 42]);
        assert_eq!(read.iter().map(|event| event.occurred_at).collect::<Vec<_>>(), [7, 7, 5]);
        assert_eq!(read.iter().map(|event| event.ordinal).collect::<Vec<_>>(), [0, 1, 0]);
        assert_eq!(read[1].reference.as_deref(), Some("LAMP-\"1\""));
        assert_eq!(written.types, "batch_added");
    }

    #[test]
    fn the_hash_of_a_name_never_changes() {
        assert_eq!(cause_key(""), 694_301_118);
        assert_eq!(subject_key(&Subject::Order(OrderId::parse("O-1").unwrap())), 687_077_588);
        assert_eq!(subject_key(&Subject::Batch(BatchReference::parse("O-1").unwrap())), -2_117_039_276);
        assert_eq!(subject_key(&Subject::Product(Sku::parse("RED-CHAIR").unwrap())), 1_814_717_548);
    }
}
