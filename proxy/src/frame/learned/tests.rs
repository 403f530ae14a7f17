use super::*;
use tollfree_cache::frame::Limits;

const BEFORE: &str =
    "Here is what one of our users wants to do; make a plan for it in five steps: ";

fn words(before: &str) -> FixedWords {
    FixedWords {
        place: GoalPlace::User,
        other: "You plan.".to_owned(),
        before: before.to_owned(),
        after: "\nThank you.".to_owned(),
    }
}

fn found(before: &str) -> Found {
    Found {
        words: words(before),
        num_goals: Limits::default().min_goals,
    }
}

fn only(learned: &Learned) -> anyhow::Result<LearnedFrame> {
    let mut all = learned.list();
    anyhow::ensure!(all.len() == 1, "{} frames", all.len());
    all.pop().ok_or(anyhow::anyhow!("none"))
}

#[test]
fn a_proposal_counts_once_it_is_approved_and_only_in_its_namespace() -> anyhow::Result<()> {
    let (one, other) = (Namespace::new("one")?, Namespace::new("other")?);
    let learned = Learned::open(LearnFrames::Propose, None);
    assert!(learned.propose(&one, found(BEFORE))?);
    assert!(!learned.propose(&one, found(BEFORE))?, "once is enough");
    assert!(learned.in_force().is_empty());
    let frame = only(&learned)?;
    learned.decide(&frame.id, State::Approved, Some("markdown".to_owned()))?;
    assert_eq!(learned.in_force().get(&one).map(Vec::len), Some(1));
    assert!(!learned.in_force().contains_key(&other));
    learned.decide(&frame.id, State::Rejected, None)?;
    assert!(learned.in_force().is_empty());
    assert!(
        !learned.propose(&one, found(BEFORE))?,
        "what was rejected is not proposed again"
    );
    assert!(matches!(
        learned.decide("nothing", State::Approved, None),
        Err(Error::Unknown(_))
    ));
    Ok(())
}

#[test]
fn with_use_a_frame_counts_at_once_until_it_is_rejected() -> anyhow::Result<()> {
    let namespace = Namespace::new("one")?;
    let learned = Learned::open(LearnFrames::Use, None);
    learned.propose(&namespace, found(BEFORE))?;
    assert!(learned.in_force().contains_key(&namespace));
    learned.decide(&only(&learned)?.id, State::Rejected, None)?;
    assert!(learned.in_force().is_empty());
    Ok(())
}

#[test]
fn fewer_words_that_hold_for_more_requests_replace_a_proposal_but_no_approval() -> anyhow::Result<()>
{
    let namespace = Namespace::new("one")?;
    let learned = Learned::open(LearnFrames::Propose, None);
    let narrow = format!("{BEFORE}I want to learn how to ");
    learned.propose(&namespace, found(&narrow))?;
    learned.propose(&namespace, found(BEFORE))?;
    let frame = only(&learned)?;
    assert_eq!(
        (frame.words.before.as_str(), frame.num_samples),
        (BEFORE, 16)
    );
    learned.decide(&frame.id, State::Approved, None)?;
    let shortest = BEFORE.split_once("; ").map_or("", |(head, _)| head);
    learned.propose(&namespace, found(shortest))?;
    assert_eq!(learned.list().len(), 2);
    Ok(())
}

#[test]
fn the_words_of_an_operator_survive_a_restart() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let namespace = Namespace::new("one")?;
    let open = |mode| Learned::open(mode, Some(dir.path()));
    let learned = open(LearnFrames::Propose);
    learned.propose(&namespace, found(BEFORE))?;
    let id = only(&learned)?.id;
    learned.decide(&id, State::Approved, Some("json-tasks".to_owned()))?;
    // Approved frames count even where nothing is learned any more.
    let again = open(LearnFrames::Off);
    let frame = only(&again)?;
    assert_eq!(
        (frame.id.as_str(), frame.state),
        (id.as_str(), State::Approved)
    );
    assert_eq!(frame.words, words(BEFORE));
    let in_force = again.in_force();
    let known = in_force.get(&namespace).and_then(|known| known.first());
    assert_eq!(known.map(|known| known.shape.as_str()), Some("json-tasks"));
    again.decide(&id, State::Rejected, None)?;
    assert!(open(LearnFrames::Use).in_force().is_empty());
    Ok(())
}

#[test]
fn a_damaged_file_is_moved_aside() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    std::fs::write(dir.path().join(FILE), "[{\"namespace\":")?;
    let learned = Learned::open(LearnFrames::Propose, Some(dir.path()));
    assert!(learned.list().is_empty());
    assert!(dir.path().join("frames.json.damaged").exists());
    learned.propose(&Namespace::new("one")?, found(BEFORE))?;
    assert_eq!(
        Learned::open(LearnFrames::Propose, Some(dir.path()))
            .list()
            .len(),
        1
    );
    Ok(())
}

#[test]
fn a_file_that_cannot_be_written_is_told_and_the_frame_counts_all_the_same() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let gone = dir.path().join("gone");
    let learned = Learned::open(LearnFrames::Use, Some(&gone));
    let namespace = Namespace::new("one")?;
    assert!(matches!(
        learned.propose(&namespace, found(BEFORE)),
        Err(Error::Unwritten { .. })
    ));
    assert!(learned.in_force().contains_key(&namespace));
    Ok(())
}

#[test]
fn proposals_are_bounded_and_approvals_are_kept() -> anyhow::Result<()> {
    let namespace = Namespace::new("one")?;
    let learned = Learned::open(LearnFrames::Propose, None);
    learned.propose(&namespace, found(BEFORE))?;
    let approved = only(&learned)?.id;
    learned.decide(&approved, State::Approved, None)?;
    for number in 0..MAX_FRAMES + 10 {
        learned.propose(&namespace, found(&format!("{number} is another frame: ")))?;
    }
    let all = learned.list();
    assert_eq!(all.len(), MAX_FRAMES);
    assert!(all.iter().any(|frame| frame.id == approved));
    Ok(())
}
