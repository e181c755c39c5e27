"""Causal language models (GPT-2, OPT, Llama and similar): models that continue a prompt.

They complete texts. With a suitable prompt they also answer, summarize, fill blanks and rate sentiment. What they are
asked, and what becomes of their texts, needs no torch: models on a server are asked in the same way.
"""
