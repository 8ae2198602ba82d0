//! How much memory entries may take, and what gives way where it is full.

use super::{ClientBuilder, Overflow};

impl ClientBuilder {
    /// The most bytes of entries in memory, from 1 MiB. Default: 16 MiB. A tenth is reserved for errors.
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.queue_bytes = Some(bytes);
        self
    }

    /// The most entries in memory, from 1 000. Default: 65 536.
    pub fn queue_entries(mut self, entries: usize) -> Self {
        self.queue_entries = Some(entries);
        self
    }

    /// What gives way when the memory is full. Default: [`Overflow::DropNewest`].
    ///
    /// ```
    /// # use {hoplog::{Client, Overflow}, std::time::Duration};
    /// // A command line tool may rather wait than lose what it has to say.
    /// let client = Client::builder().overflow(Overflow::Block(Duration::from_millis(50))).build()?;
    /// # Ok::<(), hoplog::Error>(())
    /// ```
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = Some(overflow);
        self
    }
}
