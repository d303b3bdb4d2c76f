//go:build tools

// Package tools names the Pulumi CLI, so that "go mod tidy" keeps its requirements in go.mod.
package tools

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
