//! The store under examination, as the rest of the suite sees it.

use core::borrow::Borrow;
use core::fmt::Display;
use core::marker::PhantomData;

use super::Violation;
use crate::{Record, RegistrationStore, Revision, Swap};

/// A store whose ids are numbers and whose errors are violations.
pub(super) type Subject<'a> = dyn RegistrationStore<Id = usize, Error = Violation> + 'a;

/// Any store, made into a [`Subject`] by the ids that stand for the numbers.
pub(super) struct Numbered<'a, S, I, F> {
    store: S,
    id: &'a F,
    ids: PhantomData<fn() -> I>,
}

impl<'a, S, I, F> Numbered<'a, S, I, F>
where
    S: RegistrationStore<Error: Display>,
    I: Borrow<S::Id>,
    F: Fn(usize) -> I,
{
    pub(super) const fn new(store: S, id: &'a F) -> Self {
        let ids = PhantomData;
        Self { store, id, ids }
    }
}

impl<S, I, F> RegistrationStore for Numbered<'_, S, I, F>
where
    S: RegistrationStore<Error: Display>,
    I: Borrow<S::Id>,
    F: Fn(usize) -> I,
{
    type Id = usize;
    type Error = Violation;

    fn load(&mut self, number: &usize) -> Result<Option<Record>, Violation> {
        let id = (self.id)(*number);
        self.store.load(id.borrow()).map_err(Violation::failed)
    }

    fn compare_and_swap(
        &mut self,
        number: &usize,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Result<Swap, Violation> {
        let id = (self.id)(*number);
        let swap = self.store.compare_and_swap(id.borrow(), expected, next);
        swap.map_err(Violation::failed)
    }
}
