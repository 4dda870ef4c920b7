"""Message catalogues, one gettext file per language, and how a sentence is put into a language."""
