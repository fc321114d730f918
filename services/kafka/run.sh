#!/usr/bin/env bash
# Runs one Kafka node (KRaft, no ZooKeeper) in the foreground, for development and tests.
# With --fetch it only downloads what is missing.
#
#   KAFKA_PORT             port for clients             (9092)
#   KAFKA_CONTROLLER_PORT  port of the controller       (9093)
#   KAFKA_DATA             what the broker stores       (.data beside this script)
#   KAFKA_JARS             cache of downloaded jars     (.jars beside this script)
#   KAFKA_HEAP             heap of the broker           (512m)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
port=${KAFKA_PORT:-9092}
controller_port=${KAFKA_CONTROLLER_PORT:-9093}
data=${KAFKA_DATA:-$here/.data}
jars_root=${KAFKA_JARS:-$here/.jars}
heap=${KAFKA_HEAP:-512m}

# One folder per content of pom.xml, so that a changed version is fetched.
jars=$jars_root/$(sha256sum "$here/pom.xml" | cut -c1-12)

# Stored in the data directory at the first start: 16 bytes in Kafka's base64.
cluster_id=streamlasso-developing

fail() {
    echo "kafka: $*" >&2
    exit 1
}

answers() {
    (exec 3<>"/dev/tcp/localhost/$1") 2>/dev/null
}

check_programs() {
    local version="" missing=()
    if command -v java >/dev/null; then
        version=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')
    fi
    [[ ${version:-0} -ge 17 ]] || missing+=("java 17 or later (found: ${version:-none})")
    [[ -d $jars ]] || command -v mvn >/dev/null || missing+=("mvn, to fetch Kafka's jars once")
    [[ ${#missing[@]} -eq 0 ]] && return
    fail "missing: $(IFS=';'; echo "${missing[*]}")" \
        "(Debian: apt-get install default-jre-headless maven)"
}

# Moved into place when complete: a download that was broken off, or two at the same time,
# leave no half-filled folder.
fetch_jars() {
    [[ -d $jars ]] && return
    echo "kafka: fetching the jars (44 MB, once) ..." >&2
    mkdir -p "$jars_root"
    local partial
    partial=$(mktemp -d "$jars_root/partial.XXXXXX")
    if ! mvn -q -B -Dstyle.color=never -f "$here/pom.xml" dependency:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$partial" >&2; then
        rm -rf "$partial"
        fail "Maven could not fetch the jars; see its message above"
    fi
    mv -T "$partial" "$jars" 2>/dev/null || rm -rf "$partial"
}

write_config() {
    mkdir -p "$data"
    cat "$here/server.properties" - >"$data/server.properties" <<END
listeners=PLAINTEXT://localhost:$port,CONTROLLER://localhost:$controller_port
advertised.listeners=PLAINTEXT://localhost:$port
controller.quorum.voters=1@localhost:$controller_port
log.dirs=$data/log
END
}

# Ends by itself once the port answers or the broker is gone. Started from a subshell that
# ends at once, so that the broker does not become the parent of a child it never reaps.
announce() {
    local broker=$1
    while kill -0 "$broker" 2>/dev/null; do
        if answers "$port"; then
            echo "Kafka is listening on localhost:$port; stop with Ctrl-C"
            return
        fi
        sleep 0.2
    done
}

check_programs
fetch_jars
[[ ${1:-} != --fetch ]] || exit 0
for busy in "$port" "$controller_port"; do
    ! answers "$busy" ||
        fail "port $busy is in use; set KAFKA_PORT and KAFKA_CONTROLLER_PORT to free ones"
done
write_config

java=(java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$jars/*"
    "-Dlog4j2.configurationFile=$here/log4j2.properties")
if [[ ! -f $data/log/meta.properties ]]; then
    "${java[@]}" kafka.tools.StorageTool format \
        -t "$cluster_id" -c "$data/server.properties" >/dev/null
fi

(announce $$ &)
exec "${java[@]}" "-Xmx$heap" kafka.Kafka "$data/server.properties"
