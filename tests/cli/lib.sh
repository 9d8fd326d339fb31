# What the tests of the command line share; to be sourced. Each test has a folder of its own, in $here, which is removed.
set -uo pipefail
sohoa=$SOHOA_BIN/sohoa
here=$(mktemp -d /tmp/sohoa-cli-XXXXXX)
started=()
trap 'for pid in "${started[@]}"; do kill "$pid" 2>/dev/null; wait "$pid"; done; rm -rf "$here"' EXIT
cd "$here" || exit 1
unset SOHOA_API SOHOA_TOKEN http_proxy
failures=0

complain() {
  failures=$((failures + 1))
  echo "FAILED: $*"
  sed 's/^/  stdout: /' "$here/stdout" 2>/dev/null | tail -n 30
  sed 's/^/  stderr: /' "$here/stderr" 2>/dev/null | tail -n 30
}

# sohoa_is CODE ARGUMENT...: runs it and expects that exit code
sohoa_is() {
  local want=$1 got=0
  shift
  "$sohoa" "$@" >"$here/stdout" 2>"$here/stderr" </dev/null || got=$?
  [ "$got" -eq "$want" ] || complain "sohoa $*: exit code $got, not $want"
}

# stderr_has TEXT, stdout_has TEXT: of the last sohoa_is
stderr_has() { grep -qF -- "$1" "$here/stderr" || complain "stderr does not say: $1"; }
stdout_has() { grep -qF -- "$1" "$here/stdout" || complain "stdout does not say: $1"; }

# holds TEST...: as of test(1)
holds() { test "$@" || complain "does not hold: $*"; }

# await SECONDS COMMAND...: until it succeeds
await() {
  local until=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $until ] || { complain "in vain waited for: $*"; return 1; }
    sleep 0.05
  done
}

# processes whose arguments name the test's folder, but this one and zombies
remains() { ps -eo pid=,stat=,args= | grep -F -- "$1" | grep -v grep | awk -v me=$$ '$1 != me && $2 !~ /^Z/'; }

redis_start() {
  redis-server --port 0 --unixsocket "$here/redis.sock" --save "" --dir "$here" >"$here/redis.log" 2>&1 &
  started+=($!)
  await 10 redis-cli -s "$here/redis.sock" ping
}

# coordinator_run HTTP SETTING...: in the background, its log appended to coordinator.log; $! is its process
coordinator_run() {
  local http=$1
  shift
  "$SOHOA_BIN/sohoa-coordinator" --bind="ipc://$here/zmq" --http="$http" --store="dir:$here/store" \
    --redis="$here/redis.sock" "$@" >>"$here/coordinator.log" 2>&1 &
  started=($! "${started[@]}")
}

# coordinator_start: a Redis and a coordinator of the test's own, at $SOHOA_API, without a worker
coordinator_start() {
  redis_start
  coordinator_run "unix:$here/http"
  export SOHOA_API=unix:$here/http
  await 10 "$sohoa" status
}

worker_start() {
  OMP_THREAD_LIMIT=1 "$SOHOA_BIN/sohoa-worker" --connect="ipc://$here/zmq" --store="dir:$here/store" --slots=1 \
    >"$here/worker.log" 2>&1 &
  started=($! "${started[@]}")
  await 60 grep -q state=joined "$here/worker.log"
}

skip() {
  echo "skipped: $*"
  exit 77
}

finish() {
  [ $failures -eq 0 ] && exit 0
  echo "$failures failures"
  exit 1
}
