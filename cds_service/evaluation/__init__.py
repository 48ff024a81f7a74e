"""One chart from data to answer: what arrived, what is fetched, what may be said, what is kept."""
