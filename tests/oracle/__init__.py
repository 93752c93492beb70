"""The contract calculated a second time, row by row, to test the pipeline against."""
