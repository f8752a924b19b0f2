"""The census: published and own statements as executable claims with verdicts."""
