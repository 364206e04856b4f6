//! The links of the book: every one that stays inside the repository leads somewhere.

use crate::house_rules::files;
use crate::shell::root;
use crate::tally::Tally;
use std::fs;
use std::path::Path;

/// Checks every Markdown file of the repository.
pub fn check() -> Result<Tally, String> {
    let mut problems = Tally::default();
    for path in files(&root(), "md")? {
        let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let name = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
        let broken = links(&text).filter_map(|link| follow(&path, link).err());
        problems.failed.extend(broken.map(|why| format!("{name}: {why}")));
    }
    Ok(if problems.failed.is_empty() { Tally::of("links", Ok(())) } else { problems })
}

/// The targets of `[text](target)` outside code, those to other hosts left out.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.split("```").step_by(2).flat_map(|part| part.split("](").skip(1));
    prose.filter_map(|rest| rest.split_once(')')).map(|(link, _)| link).filter(|link| !link.contains("://"))
}

fn follow(from: &Path, link: &str) -> Result<(), String> {
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = if file.is_empty() { from.to_path_buf() } else { from.with_file_name(file) };
    if !target.exists() {
        return Err(format!("the link to {link} leads nowhere"));
    }
    if anchor.is_empty() {
        return Ok(());
    }
    let text = fs::read_to_string(&target).map_err(|e| format!("{}: {e}", target.display()))?;
    let has_heading = text.lines().any(|line| line.starts_with('#') && anchor_of(line) == anchor);
    if has_heading { Ok(()) } else { Err(format!("no heading makes the anchor of {link}")) }
}

/// The anchor that a heading gets: lower case, hyphens for spaces, no other signs.
fn anchor_of(heading: &str) -> String {
    let words = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = words.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_in_code_and_to_other_hosts_are_left_alone() {
        let text = "[a](b.md) ![c](d/e.png) [f](https://example.org/x)\n```\n[g](h)\n```\n[i](#j)";
        assert_eq!(links(text).collect::<Vec<_>>(), ["b.md", "d/e.png", "#j"]);
    }

    #[test]
    fn a_heading_becomes_the_anchor_that_readers_see() {
        assert_eq!(anchor_of("## How results are measured"), "how-results-are-measured");
        assert_eq!(anchor_of("# `no-sync`: why?"), "no-sync-why");
    }

    #[test]
    fn a_link_must_lead_to_a_file_and_a_heading() {
        let readme = root().join("docs/README.md");
        assert!(follow(&readme, "concepts.md#glossary").is_ok());
        assert!(follow(&readme, "concepts.md#no-such-heading").is_err());
        assert!(follow(&readme, "no-such-page.md").is_err());
    }
}
