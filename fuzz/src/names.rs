//! Names: what is legal is kept as it is.

use gufo_core::{Code, Namespace, NodeId, ServiceName, Topic, TopicFilter, Version};

use crate::text;

/// Names of services, nodes, versions and namespaces.
pub(crate) fn service_name(input: &[u8]) {
    let Some(text) = text(input) else { return };
    match ServiceName::parse(text) {
        Ok(name) => {
            assert_eq!(name.as_str(), text);
            assert!(text.len() <= 255 && text.split('.').all(|part| !part.is_empty()));
        }
        Err(error) => assert_eq!(error.code(), Code::InvalidArgument),
    }
    if let Ok(id) = NodeId::parse(text) {
        assert_eq!(id.as_str(), text);
    }
    if let Ok(version) = Version::parse(text) {
        assert_eq!(version.as_str(), text);
    }
    if let Ok(namespace) = Namespace::parse(text) {
        assert_eq!(namespace.as_str(), text);
        assert!(
            text.split('/')
                .all(|part| part.bytes().any(|byte| byte != b'.'))
        );
    }
}

/// A topic is a filter that matches itself, and so are `>` and stars in place of its levels.
pub(crate) fn topic(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let topic = match Topic::parse(text) {
        Ok(topic) => topic,
        Err(error) => return assert_eq!(error.code(), Code::InvalidArgument),
    };
    assert_eq!(topic.as_str(), text);
    let stars = vec!["*"; text.split('.').count()].join(".");
    for filter in [text, ">", &stars] {
        let filter = TopicFilter::parse(filter).expect("made of a topic");
        assert!(filter.matches(&topic), "{filter}");
    }
    let longer = TopicFilter::parse(&format!("{stars}.*")).expect("stars are a filter");
    assert!(!longer.matches(&topic));
}

/// The first line is a filter, the second a topic; the match is that of a plain definition.
pub(crate) fn topic_filter(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let (filter, topic) = text.split_once('\n').unwrap_or((text, "a.b.c"));
    let (Ok(filter), Ok(topic)) = (TopicFilter::parse(filter), Topic::parse(topic)) else {
        return;
    };
    let wanted: Vec<&str> = filter.as_str().split('.').collect();
    let levels: Vec<&str> = topic.as_str().split('.').collect();
    assert_eq!(filter.matches(&topic), matches(&wanted, &levels));
}

fn matches(wanted: &[&str], levels: &[&str]) -> bool {
    match (wanted, levels) {
        ([], []) => true,
        ([">"], [_, ..]) => true,
        ([first, wanted @ ..], [level, levels @ ..]) => {
            (*first == "*" || first == level) && matches(wanted, levels)
        }
        _ => false,
    }
}
