use super::*;

fn passes(_: &Workspace) -> Outcome {
    Ok(Vec::new())
}

fn skips(_: &Workspace) -> Outcome {
    Ok(vec![Skip { what: "counting".into(), why: "no abacus".into() }])
}

fn fails(_: &Workspace) -> Outcome {
    Err(Failure::new("broken"))
}

const GOOD: Step = Step { name: "good", what: "", run: passes };
const PARTLY: Step = Step { name: "partly", what: "", run: skips };
const BAD: Step = Step { name: "bad", what: "", run: fails };

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn skips_of_every_step_are_handed_on() {
    let skips = run_steps(&[&GOOD, &PARTLY], &Workspace::default()).unwrap();
    assert_eq!(skips.len(), 1);
    assert_eq!(skips[0].to_string(), "SKIPPED counting: no abacus");
}

#[test]
fn the_first_failing_step_ends_the_run_and_is_named() {
    let error = run_steps(&[&GOOD, &BAD, &GOOD], &Workspace::default()).unwrap_err();
    assert_eq!(error, Failure::new("step `bad` failed: broken"));
}

#[test]
fn the_closing_table_shows_each_step_the_total_and_every_skip() {
    let ran = |step: &Step, outcome| Ran { name: step.name, outcome, took: Duration::from_millis(1540) };
    let workspace = Workspace::default();
    let ran = [ran(&PARTLY, skips(&workspace)), ran(&BAD, fails(&workspace))];
    let table = closing_table(&[&PARTLY, &BAD, &GOOD], &ran, Duration::from_secs(3));
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["partly", "passed,", "in", "part", "skipped", "1.5", "s"]);
    assert_eq!(lines[1], ["bad", "FAILED", "1.5", "s"]);
    assert_eq!(lines[2], ["good", "not", "run"]);
    assert_eq!(lines[3], ["total", "3.0", "s"]);
    assert_eq!(table.lines().last(), Some("SKIPPED counting: no abacus"));
}

#[test]
fn steps_are_chosen_by_name_and_keep_their_order() {
    let names = |arguments: &str| {
        let steps = chosen(&STEPS, &words(arguments)).unwrap();
        steps.iter().map(|step| step.name).collect::<Vec<_>>()
    };
    assert_eq!(names("").len(), STEPS.len());
    assert_eq!(names("--only clippy --only fmt"), ["fmt", "clippy"]);
}

#[test]
fn an_unknown_step_is_wrong_usage_and_names_the_known_ones() {
    let Err(Failure::Usage(why)) = chosen(&STEPS, &words("--only chaos")) else { panic!("accepted") };
    assert!(why.contains("`chaos`") && why.contains("interop"), "{why}");
    assert!(matches!(chosen(&STEPS, &words("--only")), Err(Failure::Usage(_))));
}
