"""The pages that people open in a browser: start page, clinical review, operator page. No medicine here."""
