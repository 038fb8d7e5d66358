package agentpb

import (
	"testing"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/protoutil"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/testing/protocmp"
)

// TestGeneratedCodeIsCurrent compares what agent.proto says with what the
// generated code was made from.
func TestGeneratedCodeIsCurrent(t *testing.T) {
	c := protocompile.Compiler{Resolver: &protocompile.SourceResolver{}}
	files, err := c.Compile(t.Context(), "agent.proto")
	if err != nil {
		t.Fatal(err)
	}
	want := protoutil.ProtoFromFileDescriptor(files[0])
	want.SourceCodeInfo = nil
	got := protodesc.ToFileDescriptorProto(File_agent_proto)
	if d := cmp.Diff(want, got, protocmp.Transform()); d != "" {
		t.Errorf("run make proto; agent.proto and the generated code differ:\n%s", d)
	}
}
