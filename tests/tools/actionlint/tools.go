//go:build tools

// Package tools names actionlint, so that "go mod tidy" keeps its requirements in go.mod.
package tools

import _ "github.com/rhysd/actionlint/cmd/actionlint"
