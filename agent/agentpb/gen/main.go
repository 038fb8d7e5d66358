// Command gen generates agent.pb.go and agent_grpc.pb.go from agent.proto without
// a protoc: protocompile reads the file, the two Go plugins write the code. It
// runs at development time only; what it writes is committed.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/protoutil"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

const protoFile = "agent.proto"

func main() {
	dir := flag.String("dir", ".", "directory of "+protoFile+"; the code is written beside it")
	plugins := flag.String("plugins", "", "directory of built plugins; without it they run as go tool NAME")
	tools := flag.String("tools", "", "go.mod that names the plugins as tools; without it this module's own")
	flag.Parse()
	if err := generate(*dir, plugin{*plugins, *tools}); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func generate(dir string, p plugin) error {
	compiler := protocompile.Compiler{
		Resolver:       &protocompile.SourceResolver{ImportPaths: []string{dir}},
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	files, err := compiler.Compile(context.Background(), protoFile)
	if err != nil {
		return fmt.Errorf("cannot compile %s: %w", protoFile, err)
	}
	request, err := proto.Marshal(&pluginpb.CodeGeneratorRequest{
		FileToGenerate: []string{protoFile},
		Parameter:      proto.String("paths=source_relative"),
		ProtoFile:      []*descriptorpb.FileDescriptorProto{protoutil.ProtoFromFileDescriptor(files[0])},
	})
	if err != nil {
		return fmt.Errorf("cannot encode the request: %w", err)
	}
	for _, name := range []string{"protoc-gen-go", "protoc-gen-go-grpc"} {
		if err := p.run(name, dir, request); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// plugin says where the two plugins come from.
type plugin struct{ dir, modfile string }

func (p plugin) command(name string) *exec.Cmd {
	switch {
	case p.dir != "":
		return exec.Command(filepath.Join(p.dir, name))
	case p.modfile != "":
		return exec.Command("go", "tool", "-modfile="+p.modfile, name)
	}
	return exec.Command("go", "tool", name)
}

// run has the plugin write its code into dir.
func (p plugin) run(name, dir string, request []byte) error {
	cmd := p.command(name)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(request), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("did not run: %w", err)
	}
	var reply pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(out, &reply); err != nil {
		return fmt.Errorf("answered with something else than code: %w", err)
	}
	if reply.Error != nil {
		return fmt.Errorf("refused: %s", reply.GetError())
	}
	for _, f := range reply.GetFile() {
		if err := os.WriteFile(filepath.Join(dir, f.GetName()), []byte(f.GetContent()), 0o644); err != nil {
			return fmt.Errorf("cannot write the code: %w", err)
		}
	}
	return nil
}
