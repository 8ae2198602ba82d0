//! What a file adds to what code and variables say.

use std::collections::BTreeMap;

use super::ClientBuilder;

/// What takes effect at the start only, as it was written.
pub(super) type Fixed = BTreeMap<String, String>;

impl ClientBuilder {
    /// Reads the file, if one was named.
    pub(super) fn fill_from_file(
        &mut self,
        variable: &dyn Fn(&str) -> Option<String>,
        complaints: &mut Vec<String>,
    ) -> Fixed {
        if self.config_file.is_none() {
            self.config_file =
                variable("HOPLOG_CONFIG").filter(|path| !path.trim().is_empty()).map(Into::into);
        }
        let Some(path) = self.config_file.clone() else { return Fixed::default() };
        #[cfg(feature = "toml")]
        {
            let mut file = super::toml::read(&path, complaints);
            let fixed = std::mem::take(&mut file.fixed);
            file.lay_under(self);
            fixed
        }
        #[cfg(not(feature = "toml"))]
        {
            let shown = path.display();
            complaints
                .push(format!("HOPLOG_CONFIG is {shown}, but hoplog was built without its `toml` feature"));
            Fixed::default()
        }
    }
}
