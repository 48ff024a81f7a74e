"""The demo EHR: a page that does in a browser what an EHR does when a chart is opened."""
