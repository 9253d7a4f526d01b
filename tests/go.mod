module ringside.dev/ringside/tests

go 1.26.0
