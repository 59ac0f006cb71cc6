"""The extension's own actions, a module of each subject."""
