//! No modules of a crate import each other in a circle.
//!
//! The modules of one parent are compared, whatever their descendants import. A module and its own
//! descendants form a unit: they may import each other. Test modules are left out.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

type Segments = Vec<String>;

/// The modules of a crate by their paths; the root has the empty path.
#[derive(Default)]
struct Crate(BTreeMap<Segments, Module>);

#[derive(Default)]
struct Module {
    /// Paths that the module names, from the root.
    paths: BTreeSet<Segments>,
    /// What names of this module stand for, by `use`: paths from the root.
    uses: BTreeMap<String, Segments>,
    /// Modules all of whose names are used.
    globs: Vec<Segments>,
}

impl Crate {
    fn read(root: &Path) -> Self {
        let mut modules = Self::default();
        modules.read_file(root, root.parent().unwrap().to_owned(), Vec::new());
        modules
    }

    fn read_file(&mut self, file: &Path, folder: PathBuf, path: Segments) {
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        self.read_module(tokens, &folder, path);
    }

    fn read_module(&mut self, tokens: TokenStream, folder: &Path, path: Segments) {
        self.0.entry(path.clone()).or_default();
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            match token.to_string().as_str() {
                "#" if is_test_attribute(&tokens[at..]) => at = end_of_item(&tokens, at + 2),
                "mod" if is_module(&tokens[at..]) => {
                    let name = tokens[at + 1].to_string();
                    let child = [path.clone(), vec![name.clone()]].concat();
                    match &tokens[at + 2] {
                        TokenTree::Group(body) => self.read_module(body.stream(), &folder.join(&name), child),
                        _ => self.read_file(&folder.join(format!("{name}.rs")), folder.join(&name), child),
                    }
                    at += 3;
                }
                // In a signature, `use<..>` captures parameters.
                "use" if tokens.get(at + 1).is_some_and(|next| next.to_string() != "<") => {
                    let end = at + tokens[at..].iter().position(|token| token.to_string() == ";").unwrap();
                    self.read_use(&tokens[at + 1..end], &path, Vec::new());
                    at = end + 1;
                }
                _ => at += self.read_path(&tokens[at..], &path),
            }
        }
    }

    /// Reads a path or one other token in code; returns the number of tokens read.
    fn read_path(&mut self, tokens: &[TokenTree], module: &[String]) -> usize {
        if let TokenTree::Group(group) = &tokens[0] {
            let inner: Vec<_> = group.stream().into_iter().collect();
            let mut at = 0;
            while at < inner.len() {
                at += self.read_path(&inner[at..], module);
            }
            return 1;
        }
        let (segments, read) = segments(tokens);
        if segments.len() > 1
            && let Some(path) = from_root(module, &segments)
        {
            self.0.get_mut(module).unwrap().paths.insert(path);
        }
        read.max(1)
    }

    /// Reads a tree of imports whose paths begin with `begin`.
    fn read_use(&mut self, tokens: &[TokenTree], module: &[String], begin: Segments) {
        let (segments, read) = segments(tokens);
        let path = [begin, segments].concat();
        match tokens.get(read) {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let inner: Vec<_> = group.stream().into_iter().collect();
                for tree in inner.split(|token| token.to_string() == ",").filter(|tree| !tree.is_empty()) {
                    self.read_use(tree, module, path.clone());
                }
            }
            next => {
                let next = next.map(ToString::to_string);
                let mut path = path;
                if path.last().is_some_and(|last| last == "self") {
                    path.pop();
                }
                let child = [module, &path[..path.len().min(1)]].concat();
                // A path without a head begins in a child module or in another crate.
                let Some(path) =
                    from_root(module, &path).or_else(|| self.0.contains_key(&child).then(|| [module, &path].concat()))
                else {
                    return;
                };
                let name = match next.as_deref() {
                    Some("as") => tokens[read + 1].to_string(),
                    _ => path.last().cloned().unwrap_or_default(),
                };
                let module = self.0.get_mut(module).unwrap();
                match next.as_deref() {
                    Some("*") => module.globs.push(path.clone()),
                    _ => drop(module.uses.insert(name, path.clone())),
                }
                module.paths.insert(path);
            }
        }
    }

    /// Returns the module that a path leads to, through names that modules re-export.
    fn module_of(&self, path: &[String], depth: usize) -> Option<Segments> {
        let mut module = Vec::new();
        for (at, name) in path.iter().enumerate() {
            let child = [module.clone(), vec![name.clone()]].concat();
            if self.0.contains_key(&child) {
                module = child;
                continue;
            }
            let known = self.0.get(&module)?;
            let through = known.uses.get(name).into_iter().map(|used| [used, &path[at + 1..]].concat());
            let globs = known.globs.iter().map(|glob| [glob.as_slice(), &path[at..]].concat());
            if depth < 8
                && let Some(found) = through.chain(globs).find_map(|path| self.module_of(&path, depth + 1))
            {
                return Some(found);
            }
            break;
        }
        Some(module)
    }

    /// Returns which children of a module import which others, each with an example.
    fn imports(&self) -> BTreeMap<Segments, BTreeMap<String, BTreeMap<String, String>>> {
        let mut imports: BTreeMap<Segments, BTreeMap<String, BTreeMap<String, String>>> = BTreeMap::new();
        for (from, module) in &self.0 {
            for path in &module.paths {
                let Some(to) = self.module_of(path, 0) else { continue };
                let common = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
                if let (Some(one), Some(other)) = (from.get(common), to.get(common)) {
                    let example = format!("{} imports {}", from.join("::"), path.join("::"));
                    let of_parent = imports.entry(from[..common].to_vec()).or_default();
                    of_parent.entry(one.clone()).or_default().entry(other.clone()).or_insert(example);
                }
            }
        }
        imports
    }

    /// Returns the circles: for each import that closes one, its shortest way back.
    fn circles(&self) -> Vec<String> {
        let mut circles = BTreeMap::new();
        for (parent, imports) in self.imports() {
            for one in imports.keys() {
                if let Some(circle) = shortest_circle(&imports, one) {
                    let mut members = circle.clone();
                    members.sort();
                    let links = circle.iter().zip(circle.iter().cycle().skip(1));
                    let examples: Vec<_> = links.map(|(from, to)| imports[from][to].clone()).collect();
                    circles.entry((parent.clone(), members)).or_insert_with(|| examples.join(", "));
                }
            }
        }
        circles.into_values().collect()
    }
}

/// Returns the shortest way from a module back to itself, by breadth.
fn shortest_circle(imports: &BTreeMap<String, BTreeMap<String, String>>, start: &str) -> Option<Vec<String>> {
    let (mut ways, mut seen) = (vec![vec![start.to_owned()]], BTreeSet::new());
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for next in imports.get(way.last()?).into_iter().flat_map(BTreeMap::keys) {
                if next == start {
                    return Some(way);
                }
                if seen.insert(next.clone()) {
                    longer.push([way.clone(), vec![next.clone()]].concat());
                }
            }
        }
        ways = longer;
    }
    None
}

/// Returns the names that tokens begin with, joined by `::`, and the number of tokens up to what follows.
fn segments(tokens: &[TokenTree]) -> (Segments, usize) {
    let (mut segments, mut at) = (Vec::new(), 0);
    while let Some(TokenTree::Ident(name)) = tokens.get(at) {
        segments.push(name.to_string());
        at += 1;
        let colon = |at: usize| tokens.get(at).is_some_and(|token| token.to_string() == ":");
        if !(colon(at) && colon(at + 1)) {
            break;
        }
        at += 2;
    }
    (segments, at)
}

/// Returns a path from the root of the crate; `None` if it has no head such as `crate` or `super`.
fn from_root(module: &[String], path: &[String]) -> Option<Segments> {
    match path.first()?.as_str() {
        "crate" => Some(path[1..].to_vec()),
        "self" => Some([module, &path[1..]].concat()),
        "super" => {
            let up = path.iter().take_while(|name| *name == "super").count();
            Some([&module[..module.len().checked_sub(up)?], &path[up..]].concat())
        }
        _ => None,
    }
}

fn is_test_attribute(tokens: &[TokenTree]) -> bool {
    tokens.get(1).is_some_and(|attribute| attribute.to_string().replace(' ', "") == "[cfg(test)]")
}

/// Returns whether tokens declare a module. `mod` may also be a word in the input of a macro.
fn is_module(tokens: &[TokenTree]) -> bool {
    let (Some(TokenTree::Ident(_)), Some(next)) = (tokens.get(1), tokens.get(2)) else { return false };
    next.to_string() == ";" || matches!(next, TokenTree::Group(body) if body.delimiter() == Delimiter::Brace)
}

/// Returns the place behind an item, which ends with a semicolon or a block.
fn end_of_item(tokens: &[TokenTree], begin: usize) -> usize {
    let ends = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        other => other.to_string() == ";",
    };
    begin + tokens[begin..].iter().position(ends).map_or(tokens.len() - begin, |at| at + 1)
}

#[test]
fn no_modules_import_each_other_in_a_circle() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for folder in fs::read_dir(crates).unwrap().map(|folder| folder.unwrap().path()) {
        let roots = ["lib.rs", "main.rs"].map(|root| folder.join("src").join(root));
        let Some(root) = roots.iter().find(|root| root.exists()) else { continue };
        let (name, circles) = (folder.file_name().unwrap().to_string_lossy(), Crate::read(root).circles());
        assert!(circles.is_empty(), "{name} has {} circles\n{}", circles.len(), circles.join("\n"));
    }
}

#[test]
fn a_circle_through_a_child_a_re_export_and_a_macro_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    file("lib.rs", "mod a; mod b; mod c; pub use c::Third;");
    file("a.rs", "mod inner; use crate::b::Second;");
    fs::create_dir(folder.path().join("a")).unwrap();
    file("a/inner.rs", "use super::First; struct Inner;");
    file("b.rs", "macro_rules! third { () => { $crate::Third } } pub struct Second;");
    file("c.rs", "use crate::{a::{self as first}, b}; pub struct Third; #[cfg(test)] mod tests { use crate::b; }");
    let circles = Crate::read(&folder.path().join("lib.rs")).circles();
    assert_eq!(circles.len(), 2, "{circles:?}");
    assert!(circles.iter().any(|circle| circle == "b imports Third, c imports b"), "{circles:?}");
    file("c.rs", "pub struct Third;");
    assert_eq!(Crate::read(&folder.path().join("lib.rs")).circles(), Vec::<String>::new());
}
