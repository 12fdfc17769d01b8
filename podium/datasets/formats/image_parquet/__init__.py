"""Image files and labels inside Parquet files, as the Hugging Face Hub has them."""
