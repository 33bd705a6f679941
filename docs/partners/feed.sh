#!/bin/sh
# Fetches your events from Segin, for those who can receive nothing from outside. Run it by hand or from cron:
#
#     feed.sh https://segin.example.org/v1 segin.token events
#     feed.sh --wait https://segin.example.org/v1 segin.token events
#
# segin.token    a file with your token and nothing else, for you alone (chmod 600)
# events         a folder: events.jsonl in it gets one event a line, cursor says how far you are
# --wait         goes on waiting for events instead of ending when there are none
#
# SEGIN_FEED_LIMIT in the environment is how many events a page has at most (500).
#
# Stop it whenever you like, or let it be stopped: nothing is lost and nothing is there twice. It needs curl and python3,
# whose standard library is enough. It ends with 0, or with 1 after a line that says what is wrong. Segin's own tests run
# this very file against its API.
set -eu
umask 077 # what is kept is for the owner's eyes only

say() {
    echo "feed.sh: $1" >&2
    exit 1
}

wait=0
if [ "${1:-}" = --wait ]; then
    wait=25 # seconds for which Segin keeps a request open
    shift
fi
[ $# -eq 3 ] || say "usage: feed.sh [--wait] ADDRESS TOKEN-FILE FOLDER"
address=${1%/} token=$2 folder=$3

[ -r "$token" ] || say "cannot read the file with the token"
case $(ls -lL "$token") in
-r?-------*) ;;
*) say "others may read the file with the token: chmod 600" ;;
esac
mkdir -p "$folder"

# One at a time. A lock whose process is gone, or that was not touched for ten minutes, was left behind by a machine that
# stopped. (Should two run all the same, they do not keep anything twice: see flock below.)
lock=$folder/lock
if ! mkdir "$lock" 2>/dev/null; then
    holder=$(cat "$lock/pid" 2>/dev/null || echo)
    if [ -z "$(find "$lock" -prune -mmin +10)" ] && { [ -z "$holder" ] || kill -0 "$holder" 2>/dev/null; }; then
        exit 0 # another one is at work, which is fine
    fi
    rm -rf "$lock"
    mkdir "$lock" 2>/dev/null || exit 0
fi
trap 'rm -rf "$lock"' EXIT
trap 'exit 1' HUP INT TERM
echo $$ >"$lock/pid"

# The token goes to curl in a file: a command line can be read by everybody on the machine.
printf 'header = "Authorization: Bearer %s"\n' "$(tr -d '[:space:]' <"$token")" >"$lock/curl"

# Keeps what a page has that is not there yet, then moves the cursor. Prints how many events the page had. When it is
# stopped in between, the same page comes again: its events are known by their ids. A line without an end is one that was
# being written then.
keep='
import fcntl, json, os, sys
folder, page = sys.argv[1:]
with open(page, encoding="utf-8") as file:
    answer = json.load(file)
if not answer["events"]:
    sys.exit(print(0))
path = os.path.join(folder, "events.jsonl")
with open(path, "a+b") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    file.seek(0)
    whole, known = 0, set()
    for line in file:
        if line.endswith(b"\n"):
            whole += len(line)
            known.add(json.loads(line)["id"])
    file.truncate(whole)
    for event in answer["events"]:
        if event["id"] not in known:
            file.write(json.dumps(event, ensure_ascii=False).encode() + b"\n")
            known.add(event["id"])
    file.flush()
    os.fsync(file.fileno())
if answer["next"]:
    cursor = os.path.join(folder, "cursor")
    with open(cursor + ".new", "w", encoding="ascii") as file:
        file.write(answer["next"])
        file.flush()
        os.fsync(file.fileno())
    os.replace(cursor + ".new", cursor)
print(len(answer["events"]))
'

while :; do
    touch "$lock"
    cursor=$(cat "$folder/cursor" 2>/dev/null || echo)
    # To ask for what comes after the cursor tells Segin that what came before it is kept here.
    status=$(curl --silent --config "$lock/curl" --max-time 60 --output "$lock/page" --dump-header "$lock/headers" \
        --write-out '%{http_code}' --get --data "limit=${SEGIN_FEED_LIMIT:-500}" --data "wait=$wait" \
        ${cursor:+--data "after=$cursor"} "$address/events") ||
        say "no answer from Segin; the next run goes on from here"
    case $status in
    200) ;;
    400) say "Segin does not know the cursor: remove the file cursor; what you have is not kept again (400)" ;;
    401) say "the token is not valid, or no longer: ask the people of Segin for another (401)" ;;
    403) say "your exchanges are paused, or the token may not read events: ask the people of Segin (403)" ;;
    429)
        seconds=$(sed -n 's/^[Rr]etry-[Aa]fter: *\([0-9]*\).*/\1/p' "$lock/headers")
        say "too many requests: run it again in ${seconds:-60} seconds (429)"
        ;;
    5*) say "Segin has a problem; the next run goes on from here ($status)" ;;
    *) say "not the answer of Segin's API; is the address right? ($status)" ;;
    esac
    count=$(python3 -c "$keep" "$folder" "$lock/page") || say "the page could not be kept; the next run has it again"
    [ "$count" -gt 0 ] || [ "$wait" -gt 0 ] || break
done
