"""`swara-engine`: what a model folder is, a smaller copy of it, and engine directories, before anything is served."""
