"""Models on servers that speak OpenAI's API: vLLM, llama-server, Ollama, LM Studio, `transformers serve` and others."""
