"""Whether what was locked can still be built: who still has what is needed."""
