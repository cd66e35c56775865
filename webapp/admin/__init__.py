"""The researcher's pages behind a login: studies, their progress, exports and reports."""
