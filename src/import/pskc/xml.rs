//! XML as a stream of elements: what is wanted is read, the rest passed over.
//!
//! No tree is built and what is passed over is skipped without recursion, so memory doesn't grow
//! with a file. Elements go by their local names, because prefixes vary.

use std::borrow::Cow;
use std::string::String;

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use quick_xml::{XmlVersion, escape};
use zeroize::Zeroize as _;

use crate::import::{Format, ImportError, Limits};

/// A walk through a document.
pub(super) struct Walker<'t> {
    text: &'t str,
    reader: Reader<&'t [u8]>,
    /// How many elements are open.
    depth: usize,
}

/// An element that was just opened.
pub(super) struct Element<'t>(BytesStart<'t>);

impl Element<'_> {
    /// Its name without a prefix.
    pub(super) fn name(&self) -> &str {
        self.0.local_name().into_inner()
    }
}

/// What a walk meets next.
enum Node<'t> {
    Start(Element<'t>),
    /// A piece of text; there may be several in a row.
    Text(Piece<'t>),
    /// The end of the element that was opened last, or of the document.
    End,
}

/// A piece of text.
enum Piece<'t> {
    /// As it stands in the file.
    Raw(Cow<'t, str>),
    /// What a reference to an entity stands for.
    Entity(&'static str),
    /// What a reference to a character stands for.
    Character(char),
}

impl<'t> Walker<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Self {
            text,
            reader,
            depth: 0,
        }
    }

    /// Calls `each` with the document's only outermost element, which must have this name.
    pub(super) fn document(
        &mut self,
        name: &str,
        each: impl FnOnce(&Element<'t>, &mut Self) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let mut each = Some(each);
        self.children(|element, walker| match each.take() {
            Some(each) if element.name() == name => each(element, walker),
            _ => Err(walker.malformed()),
        })?;
        each.is_none().then_some(()).ok_or_else(|| self.malformed())
    }

    /// Calls `each` with every child of the element that was opened last, up to that element's
    /// end. What `each` leaves of a child is passed over.
    pub(super) fn children(
        &mut self,
        mut each: impl FnMut(&Element<'t>, &mut Self) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let depth = self.depth;
        loop {
            match self.next()? {
                Node::Start(element) => {
                    each(&element, self)?;
                    self.pass_over(depth)?;
                }
                Node::Text(_) => {}
                Node::End => return Ok(()),
            }
        }
    }

    /// The text of the element that was opened last, up to its end.
    pub(super) fn text(&mut self) -> Result<Text<'t>, ImportError> {
        let mut text = Text::default();
        loop {
            match self.next()? {
                Node::Start(_) => return Err(self.malformed()),
                Node::Text(piece) => text.push(piece),
                Node::End => return Ok(text),
            }
        }
    }

    /// The same for a name: without white space around it.
    pub(super) fn name(&mut self) -> Result<String, ImportError> {
        Ok(self.text()?.trim().into())
    }

    /// Keeps what was read in `place`, where an element may stand once only.
    pub(super) fn put<T>(&self, place: &mut Option<T>, value: T) -> Result<(), ImportError> {
        match place.replace(value) {
            None => Ok(()),
            Some(_) => Err(self.malformed()),
        }
    }

    /// The value of an element's attribute.
    pub(super) fn attribute<'e>(
        &self,
        element: &'e Element<'_>,
        name: &str,
    ) -> Result<Option<Cow<'e, str>>, ImportError> {
        let mut found = None;
        // The reader's own check for attributes that stand twice takes quadratic time.
        for attribute in element.0.attributes().with_checks(false) {
            let attribute = attribute.map_err(|_| self.malformed())?;
            if attribute.key.as_ref() == name {
                let value = attribute.normalized_value(XmlVersion::Implicit1_0);
                self.put(&mut found, value.map_err(|_| self.malformed())?)?;
            }
        }
        Ok(found)
    }

    /// The file can't be read on from here.
    pub(super) fn malformed(&self) -> ImportError {
        self.malformed_at(self.reader.buffer_position())
    }

    fn malformed_at(&self, position: u64) -> ImportError {
        let read = usize::try_from(position).ok();
        let read = read.and_then(|position| self.text.as_bytes().get(..position));
        let lines = read.unwrap_or_default().split(|byte| *byte == b'\n');
        ImportError::Malformed {
            format: Format::Pskc,
            line: lines.count(),
        }
    }

    /// Reads on until so many elements are open.
    fn pass_over(&mut self, depth: usize) -> Result<(), ImportError> {
        while self.depth > depth {
            self.next()?;
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Node<'t>, ImportError> {
        loop {
            match self.reader.read_event() {
                Ok(Event::Start(start)) => return self.open(start),
                Ok(Event::End(_)) => return Ok(self.close()),
                Ok(Event::Text(text)) => return self.piece(Piece::Raw(text.into_inner())),
                Ok(Event::CData(text)) => return self.piece(Piece::Raw(text.into_inner())),
                Ok(Event::GeneralRef(name)) => return self.reference(&name),
                Ok(Event::DocType(_)) => return Err(ImportError::DocumentType),
                Ok(Event::Eof) if self.depth == 0 => return Ok(Node::End),
                // An empty element comes as its start and its end.
                Ok(Event::Eof | Event::Empty(_)) => return Err(self.malformed()),
                Ok(Event::Comment(_) | Event::Decl(_) | Event::PI(_)) => {}
                Err(_) => return Err(self.malformed_at(self.reader.error_position())),
            }
        }
    }

    fn open(&mut self, start: BytesStart<'t>) -> Result<Node<'t>, ImportError> {
        self.depth = self.depth.saturating_add(1);
        (self.depth <= Limits::DEPTH)
            .then_some(Node::Start(Element(start)))
            .ok_or(ImportError::TooDeep)
    }

    fn close(&mut self) -> Node<'t> {
        self.depth = self.depth.saturating_sub(1);
        Node::End
    }

    /// Outside the outermost element there is white space only.
    fn piece(&self, piece: Piece<'t>) -> Result<Node<'t>, ImportError> {
        let blank = matches!(&piece, Piece::Raw(text) if text.trim_ascii().is_empty());
        if self.depth == 0 && !blank {
            return Err(self.malformed());
        }
        Ok(Node::Text(piece))
    }

    fn reference(&self, name: &quick_xml::events::BytesRef<'_>) -> Result<Node<'t>, ImportError> {
        let character = name.resolve_char_ref().map_err(|_| self.malformed())?;
        let entity = || escape::resolve_xml_entity(name).map(Piece::Entity);
        let piece = character.map(Piece::Character).or_else(entity);
        self.piece(piece.ok_or_else(|| self.malformed())?)
    }
}

/// Text, borrowed where it stands in the file in one piece; a copy is wiped on drop.
#[derive(Default)]
pub(super) struct Text<'t>(Cow<'t, str>);

impl<'t> Text<'t> {
    fn push(&mut self, piece: Piece<'t>) {
        match piece {
            Piece::Raw(text) if text.contains('\r') => self.push_lines(&text),
            Piece::Raw(text) if self.0.is_empty() => self.0 = text,
            Piece::Raw(text) => self.push_str(&text),
            Piece::Entity(text) => self.push_str(text),
            Piece::Character(letter) => self.push_str(letter.encode_utf8(&mut [0; 4])),
        }
    }

    /// Every line break is read as one `\n` (XML 1.0 §2.11).
    fn push_lines(&mut self, text: &str) {
        let mut lines = text.split('\r');
        self.push_str(lines.next().unwrap_or_default());
        for line in lines {
            self.push_str("\n");
            self.push_str(line.strip_prefix('\n').unwrap_or(line));
        }
    }

    fn push_str(&mut self, text: &str) {
        let needed = self.0.len().saturating_add(text.len());
        match &mut self.0 {
            Cow::Owned(all) if needed <= all.capacity() => all.push_str(text),
            _ => self.grow(text, needed),
        }
    }

    /// Moves to larger memory and leaves no copy where the text was.
    fn grow(&mut self, text: &str, needed: usize) {
        let mut larger = String::with_capacity(needed.saturating_mul(2));
        larger.push_str(&self.0);
        larger.push_str(text);
        *self = Self(Cow::Owned(larger));
    }
}

impl core::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Drop for Text<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(text) = &mut self.0 {
            text.zeroize();
        }
    }
}
