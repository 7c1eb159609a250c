"""What several engines need: precision, CPU threads, CUDA graphs and libraries."""
