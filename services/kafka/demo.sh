#!/usr/bin/env bash
# demo.sh STREAMLASSO [SECONDS]: a broker, simulated clicks through a topic, and the live picture.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
streamlasso=$1
seconds=${2:-}
port=${KAFKA_PORT:-9092}
folder=$(mktemp -d)
snapshots=$(mktemp -d -t streamlasso-demo-XXXXXX)  # kept, to be looked at afterwards

"$here/run.sh" --fetch
KAFKA_DATA=$folder/kafka "$here/run.sh" >"$folder/kafka.log" 2>&1 &
broker=$!
producer=
trap 'kill $producer $broker 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
until (exec 3<>"/dev/tcp/localhost/$port") 2>/dev/null; do
    if ! kill -0 $broker 2>/dev/null; then
        cat "$folder/kafka.log" >&2
        exit 1
    fi
    sleep 0.2
done

"$streamlasso" produce --simulated 100000000 --rate 5000 \
    --topic clicks --bootstrap "localhost:$port" >/dev/null &
producer=$!
"$streamlasso" consume --topic clicks --bootstrap "localhost:$port" \
    --snapshots "$snapshots" --watch ${seconds:+--seconds "$seconds"}
