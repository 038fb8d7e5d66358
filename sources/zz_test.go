package sources
import ("testing";"time";"fmt";"golang.org/x/sys/unix")
func TestZZ(t *testing.T){
 for _, nowake := range []bool{true,false} {
 d := newFolder(t)
 a, b := d.open("a"), d.open("b")
 sa := begin(t, NewFile(d.path("a"), FileOptions{NoWake:nowake}), "")
 sb := begin(t, NewFile(d.path("b"), FileOptions{NoWake:nowake}), "")
 cpu := func() time.Duration { var u unix.Rusage; unix.Getrusage(unix.RUSAGE_SELF,&u); return time.Duration(u.Utime.Nano()+u.Stime.Nano()) }
 c0, s0 := cpu(), time.Now()
 line := noise(150)[:150]+"\n"
 n := 0
 for i:=0;i<8000;i++ { for j:=0;j<25;j++ { a.WriteString(line); b.WriteString(line); n++ }; time.Sleep(time.Until(s0.Add(time.Duration(i)*time.Millisecond))) }
 n = n*2
 _ = sa; _ = sb
 fmt.Println("nowake", nowake, "wall", time.Since(s0), "cpu", cpu()-c0, "writes", 400000)
 sa.stop(); sb.stop()
 }
}
