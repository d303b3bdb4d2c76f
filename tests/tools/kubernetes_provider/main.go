// Package main is Pulumi's Kubernetes provider, with the schema that its own module contains.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

//go:embed schema.json
var schema []byte

//go:embed terraform-mapping.json
var mapping []byte

var version string

func main() { provider.Serve("kubernetes", version, schema, mapping) }
