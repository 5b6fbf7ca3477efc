"""How Swara's small Hindi model is made: texts, teacher speech, codec, language model, export, evaluation."""
