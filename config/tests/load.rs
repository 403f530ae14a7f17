//! What a sound configuration becomes.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use proptest::prelude::*;
use tollfree_config::config::{Credential, FrameText};
use tollfree_config::env::Environment;
use tollfree_config::types::{AuthMode, UpstreamKind};
use tollfree_config::{Config, Overrides};

fn environment(variables: &[(&str, &str)]) -> Environment {
    Environment::from_map([("HOME", "/home/user")].iter().chain(variables).copied())
}

fn from_text(text: &str, variables: &[(&str, &str)]) -> Result<Config> {
    let file = Path::new("etc/tollfree.toml");
    Ok(Config::from_text(
        text,
        Some(file),
        &Overrides::default(),
        &environment(variables),
    )?)
}

fn address(text: &str) -> Result<SocketAddr> {
    Ok(text.parse()?)
}

#[test]
fn without_a_file_the_built_in_default_serves_on_loopback_and_has_no_upstream() -> Result<()> {
    let config = Config::load(None, &Overrides::default(), &environment(&[]))?;
    assert_eq!(config.server().listen(), address("127.0.0.1:8080")?);
    assert_eq!(config.server().admin_listen(), address("127.0.0.1:9090")?);
    assert_eq!(config.server().data_dir(), Path::new("./data"));
    assert_eq!(config.server().auth(), AuthMode::Open);
    assert!(config.server().threads() >= 1);
    assert_eq!(
        config.cache().ttl().get(),
        Duration::from_secs(7 * 24 * 3600)
    );
    assert_eq!(
        config.embedder().model_dir(),
        Path::new("/home/user/.cache/tollfree/models/all-minilm-l6-v2")
    );
    assert!(config.upstreams().is_empty());
    assert_eq!(config.default_upstream(), None);
    Ok(())
}

#[test]
fn an_empty_file_is_the_built_in_default() -> Result<()> {
    let built_in = Config::load(None, &Overrides::default(), &environment(&[]))?;
    assert_eq!(from_text("", &[])?, built_in);
    Ok(())
}

#[test]
fn a_gemini_key_alone_brings_an_upstream() -> Result<()> {
    let config = from_text("", &[("GEMINI_API_KEY", "AIza-test")])?;
    let upstream = config.default_upstream().context("no upstream")?;
    assert_eq!(
        (upstream.name().as_str(), upstream.kind()),
        ("gemini", UpstreamKind::Gemini)
    );
    assert_eq!(
        upstream.base_url().host(),
        "generativelanguage.googleapis.com"
    );
    let Credential::Key(key) = upstream.credential() else {
        anyhow::bail!("{:?}", upstream.credential())
    };
    assert_eq!(key.expose(), "AIza-test");
    Ok(())
}

#[test]
fn a_gemini_key_brings_nothing_beside_configured_upstreams() -> Result<()> {
    let text =
        "[[upstreams]]\nname = \"vllm\"\nkind = \"openai\"\nbase_url = \"http://127.0.0.1:8000\"\n";
    let config = from_text(text, &[("GEMINI_API_KEY", "AIza-test")])?;
    let names: Vec<&str> = config
        .upstreams()
        .iter()
        .map(|upstream| upstream.name().as_str())
        .collect();
    assert_eq!(names, ["vllm"]);
    assert_eq!(
        config
            .upstreams()
            .first()
            .map(|upstream| upstream.credential()),
        Some(&Credential::Keyless)
    );
    Ok(())
}

#[test]
fn flags_beat_variables_which_beat_the_file_which_beats_the_default() -> Result<()> {
    let text = "[server]\nlisten = \"127.0.0.1:1\"\ndata_dir = \"store\"\n";
    let variables = [
        ("TOLLFREE_LISTEN", "127.0.0.1:2"),
        ("TOLLFREE_DATA_DIR", "from-variable"),
    ];
    let flags = Overrides {
        listen: Some("127.0.0.1:3".to_owned()),
        data_dir: Some("from-flag".into()),
        ..Overrides::default()
    };
    let load = |flags: &Overrides, variables| {
        Config::from_text(text, None, flags, &environment(variables))
    };
    let shown = |config: &Config| {
        (
            config.server().listen().port(),
            config.server().data_dir().to_owned(),
        )
    };

    assert_eq!(shown(&load(&flags, &variables)?), (3, "from-flag".into()));
    assert_eq!(
        shown(&load(&Overrides::default(), &variables)?),
        (2, "from-variable".into())
    );
    assert_eq!(
        shown(&load(&Overrides::default(), &[])?),
        (1, "store".into())
    );
    Ok(())
}

#[test]
fn paths_of_a_file_are_relative_to_its_folder_and_others_are_not() -> Result<()> {
    let config = from_text(
        "[server]\ndata_dir = \"store\"\n[templates]\ndir = \"/srv/templates\"\n",
        &[],
    )?;
    assert_eq!(config.server().data_dir(), Path::new("etc/store"));
    assert_eq!(config.templates().dir(), Some(Path::new("/srv/templates")));
    let config = from_text(
        "[server]\ndata_dir = \"store\"\n",
        &[("TOLLFREE_DATA_DIR", "elsewhere")],
    )?;
    assert_eq!(config.server().data_dir(), Path::new("elsewhere"));
    Ok(())
}

#[test]
fn open_mode_on_the_network_has_to_be_asked_for() -> Result<()> {
    let exposed = "[server]\nlisten = \"0.0.0.0:8080\"\n";
    assert!(from_text(exposed, &[]).is_err());
    assert!(from_text("", &[("TOLLFREE_LISTEN", "[::]:8080")]).is_err());
    from_text(&format!("{exposed}expose_open = true\n"), &[])?;
    from_text(&format!("{exposed}auth = \"passthrough\"\n"), &[])?;
    from_text("", &[("TOLLFREE_LISTEN", "[::1]:8080")])?;
    Ok(())
}

#[test]
fn port_zero_may_stand_for_both_listeners() -> Result<()> {
    let config = from_text(
        "[server]\nlisten = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n",
        &[],
    )?;
    assert_eq!(config.server().admin_listen(), address("127.0.0.1:0")?);
    Ok(())
}

#[test]
fn each_protocol_may_have_one_upstream_with_the_clients_credential() -> Result<()> {
    let upstream = |name: &str, kind: &str| {
        format!(
            "[[upstreams]]\nname = \"{name}\"\nkind = \"{kind}\"\nbase_url = \"http://h\"\ncredential = \"client\"\n"
        )
    };
    from_text(&(upstream("a", "openai") + &upstream("b", "gemini")), &[])?;
    assert!(from_text(&(upstream("a", "openai") + &upstream("b", "openai")), &[]).is_err());
    Ok(())
}

#[test]
fn a_frame_is_cut_around_its_goal() -> Result<()> {
    let text = "[[frames]]\nname = \"coach\"\nuser = \"Goal: {goal}!\"\nshape = \"json-tasks\"\n";
    let config = from_text(text, &[])?;
    let frame = config.frames().first().context("no frame")?;
    let around = |before: &str, after: &str| FrameText::Around {
        before: before.to_owned(),
        after: after.to_owned(),
    };
    assert_eq!(frame.user(), &around("Goal: ", "!"));
    assert_eq!(frame.system(), &FrameText::Fixed(String::new()));
    assert_eq!(frame.shape().map(|name| name.as_str()), Some("json-tasks"));

    let text = "[[frames]]\nname = \"coach\"\nsystem = \"Plan {goal}.\"\nuser = \"Go.\"\n";
    let config = from_text(text, &[])?;
    let frame = config.frames().first().context("no frame")?;
    assert_eq!(frame.system(), &around("Plan ", "."));
    assert_eq!(frame.user(), &FrameText::Fixed("Go.".to_owned()));
    Ok(())
}

#[test]
fn settings_that_split_the_key_are_put_in_order() -> Result<()> {
    let config = from_text(
        "[cache]\nvary = [\"top_p\", \"seed\", \"temperature\"]\n",
        &[],
    )?;
    let names: Vec<&str> = config
        .cache()
        .vary()
        .iter()
        .map(|name| name.as_str())
        .collect();
    assert_eq!(names, ["seed", "temperature", "top_p"]);
    Ok(())
}

/// Text that is often nearly a configuration, so that it gets past the parser.
fn nearly_toml() -> impl Strategy<Value = String> {
    let key = "server|listen|cache|ttl|vary|upstreams|name|kind|base_url|api_key|env|models|price|frames|user|é|\"\"";
    let value = prop_oneof![
        "[0-9]{1,20}|-1|0.5|nan|true|1979-05-27",
        "\"[a-z{}*:/@?é ]{0,12}\"",
        "\\[\\]|\\[1, \"a\"\\]|\\{\\}|\\{ env = \"A\" \\}|\\{ name = 1 \\}|\\[\\{ name = \"a\" \\}, 3\\]",
        "\"(7d|0s|openai|gemini|http://h|\\{goal\\}|\\*)\"",
    ];
    let line = prop_oneof![
        1 => key.prop_map(|key| format!("[{key}]")),
        1 => key.prop_map(|key| format!("[[{key}]]")),
        4 => (key, value).prop_map(|(key, value)| format!("{key} = {value}")),
        1 => "\\PC{0,12}",
    ];
    prop::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_becomes_a_configuration_or_problems_inside_the_text(text in prop_oneof![nearly_toml(), any::<String>()]) {
        let file = Path::new("tollfree.toml");
        if let Err(invalid) = Config::from_text(&text, Some(file), &Overrides::default(), &environment(&[])) {
            prop_assert!(!invalid.problems.is_empty());
            let num_lines = text.matches('\n').count() + 1;
            for problem in &invalid.problems {
                prop_assert!(problem.line.is_some_and(|line| (1..=num_lines).contains(&line)), "{:?}", problem);
                prop_assert!(!problem.message.is_empty() && !problem.remedy.is_empty());
                prop_assert!(!problem.remedy.contains("compare the file with the JSON Schema"), "{:?}", problem);
            }
        }
    }
}
