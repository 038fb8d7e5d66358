package ssh

import "strings"

// hello begins the line that says what answered; whatever the login prints before
// it is passed over.
const hello = "bartizan1 "

// leash ends a script when the connection does: sshd leaves programs without a
// terminal running.
const leash = `exec 4<&0; (cat <&4 >/dev/null 2>&1; kill $$) >/dev/null 2>&1 & `

// connect becomes the agent where the binary is and can serve what is asked for,
// else it lists the files that the patterns name, for ever.
//
// Arguments: seconds between lists (0: there is one), how many of the paths the person gave (0: the
// agent takes its own), then the paths.
var connect = oneLine(`
every=$1; given=$2; shift 2; why=;
for b in bartizan /usr/local/bin/bartizan /usr/bin/bartizan "$HOME/bin/bartizan" "$HOME/.local/bin/bartizan"; do
  if command -v "$b" >/dev/null 2>&1; then
    if [ "$given" = 0 ]; then
      if why=$("$b" agent --stdio --check 2>&1 </dev/null); then echo "bartizan1 agent"; exec "$b" agent --stdio; fi;
    else
      if why=$("$b" agent --stdio --check -- "$@" 2>&1 </dev/null); then echo "bartizan1 agent"; exec "$b" agent --stdio -- "$@"; fi;
    fi;
    break;
  fi;
done;
printf "%s\n" "bartizan1 none $why" | head -n 1;
` + leash + `
IFS=;
while :; do
  for p in "$@"; do
    for x in $p; do
      if [ -f "$x" ]; then if [ -r "$x" ]; then printf "%s\n" "r $x"; else printf "%s\n" "d $x"; fi; fi;
    done;
  done;
  echo .;
  if [ "$every" = 0 ]; then exit 0; fi;
  sleep "$every";
done`)

// read shows one generation of a file from an offset to its end and follows it.
// It ends with 10 when the file was renamed away and read to its end, with 11
// when it was truncated.
//
// Arguments: path, wanted inode (0: none), offset, bytes of head, their cksum,
// bytes to begin before the end (less than 0: the beginning), whether the wanted
// inode was read to its end, seconds between looks; 0 ends it with 17 where the
// file ended when it was opened.
//
// A generation that was renamed is looked for under the names rotation gives; one
// that is finished leads to the next newer one.
var read = oneLine(`
f=$1 w=$2 o=$3 k=$4 c=$5 t=$6 d=$7 v=$8; LC_ALL=C; export LC_ALL;
ino() { set -- $(ls -Ldi -- "$1" 2>/dev/null); echo "${1:-0}"; };
size() { echo $(( $( { wc -c <"$1"; } 2>/dev/null || echo 0) )); };
sum() { dd if="$1" bs="$2" count=1 2>/dev/null | cksum | { read a b; echo "$a"; }; };
less() { if [ "$1" -lt "$2" ]; then echo "$1"; else echo "$2"; fi; };
g=$f; m=new;
if [ "$w" = 0 ]; then m=first;
elif [ "$(ino "$f")" = "$w" ]; then m=same;
else
  after=;
  for x in "$f".* "$f"-*; do
    if [ -f "$x" ]; then
      if [ "$after" = dated ]; then g=$x; after=done; fi;
      if [ "$m" = new ] && [ "$(ino "$x")" = "$w" ]; then
        if [ "$d" = 0 ]; then g=$x; m=same; break; fi;
        m=next; n=${x##*.};
        case $n in 0*) ;; *) if [ "$n" -gt 1 ] 2>/dev/null && [ -f "$f.$((n-1))" ]; then g=$f.$((n-1)); break; fi;; esac;
        case $x in "$f"-*) after=dated;; esac;
      fi;
    fi;
  done;
  if [ "$m" = new ] && [ "$d" = 1 ]; then m=next; fi;
fi;
[ -e "$g" ] || exit 12; [ -f "$g" ] || exit 13; [ -r "$g" ] || exit 14;
i=$(ino "$g"); exec 3<"$g"; [ "$(ino "$g")" = "$i" ] || exit 15;
z=$(size "$g"); s=0;
if [ "$m" = same ]; then
  if [ "$i" = "$w" ] && [ "$z" -ge "$o" ] && { [ "$k" = 0 ] || [ "$(sum "$g" "$k")" = "$c" ]; }; then s=$o; else m=cut; fi;
elif [ "$m" = first ] && [ "$t" -ge 0 ] && [ "$z" -gt "$t" ]; then s=$((z-t));
fi;
if [ "$m" = same ] && [ "$k" -gt 0 ]; then :; else k=$(less "$z" 256); c=0; if [ "$k" -gt 0 ]; then c=$(sum "$g" "$k"); fi; fi;
echo "bartizan1 file $i $z $s $k $c $m";
` + leash + `
if [ "$v" = 0 ]; then head -c "$z" <&3 | tail -c +$((s+1)); exit 17; fi;
tail -c +$((s+1)) <&3 || exit 16;
if [ "$g" = "$f" ]; then :; else sleep "$v"; cat <&3; exit 10; fi;
while sleep "$v"; do
  n=$(ino "$f");
  if [ "$n" = "$i" ]; then
    q=$(size "$f");
    if [ "$q" -lt "$z" ] && [ "$(ino "$f")" = "$i" ]; then exit 11; fi;
    z=$q;
    if [ "$k" -gt 0 ]; then
      if [ "$(sum "$f" "$k")" = "$c" ]; then :; elif [ "$(ino "$f")" = "$i" ]; then exit 11; fi;
    elif [ "$z" -gt 0 ]; then k=$(less "$z" 256); c=$(sum "$f" "$k");
    fi;
    cat <&3 || exit 16;
  else
    cat <&3 || exit 16;
    if [ "$n" = 0 ]; then :; else sleep "$v"; cat <&3; sleep "$v"; cat <&3; exit 10; fi;
  fi;
done`)

// oneLine makes one line of a script that is written on several.
func oneLine(s string) string {
	var out []string
	for _, l := range strings.Split(s, "\n") {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return strings.Join(out, " ")
}
