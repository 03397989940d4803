use super::*;

fn after(start: Instant, seconds: u64) -> Instant {
    start + Duration::from_secs(seconds)
}

#[test]
fn an_outage_logs_two_lines_and_one_a_minute() {
    let (log, start) = (FailureLog::new("event sequencing", "retrying"), Instant::now());
    let lines: Vec<_> = (0..=130).filter_map(|second| log.failure(after(start, second))).collect();
    let still = |seconds, failures| Line::StillFailing { seconds, failures };
    assert_eq!(lines, [Line::Failed, still(60, 61), still(120, 121)]);
    assert!(log.is_failing());
    assert_eq!(log.success(after(start, 131)), Some(Line::Resumed { seconds: 131, failures: 131 }));
    assert!(!log.is_failing());
    assert_eq!(log.success(after(start, 132)), None);
    assert_eq!(log.failure(after(start, 133)), Some(Line::Failed), "another outage");
}

#[test]
fn a_component_works_again_once_it_has_not_failed_for_a_while() {
    let log = FailureLog::new("requests", "answered 503").with_settle_time(Duration::from_secs(5));
    let start = Instant::now();
    assert_eq!(log.failure(start), Some(Line::Failed));
    assert_eq!(log.success(after(start, 4)), None);
    assert_eq!(log.failure(after(start, 4)), None);
    assert_eq!(log.success(after(start, 8)), None);
    assert_eq!(log.success(after(start, 9)), Some(Line::Resumed { seconds: 9, failures: 2 }));
}
