"""The four kinds of evidence: symbolic identity, certificate, property search, Monte Carlo."""
