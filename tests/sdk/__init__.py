"""The face of training code, through its public door only."""
