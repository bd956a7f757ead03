#!/bin/sh
# The agent keeps ONE pod in its cluster, by the Redis protocol alone: no operator, no Kubernetes API, no rights.
# It heals addresses after restarts, forms a cluster out of nothing but empty pods, joins newcomers as replicas,
# forgets nodes that will not come back, and stands back while somebody else changes the cluster.
# It never resets or flushes a node.
set -u
# shellcheck source-path=SCRIPTDIR source=ask.sh
. "${0%/*}/ask.sh"
# shellcheck source-path=SCRIPTDIR source=agent-look.sh
. "${0%/*}/agent-look.sh"
# shellcheck source-path=SCRIPTDIR source=agent-heal.sh
. "${0%/*}/agent-heal.sh"
# shellcheck source-path=SCRIPTDIR source=agent-form.sh
. "${0%/*}/agent-form.sh"
# shellcheck source-path=SCRIPTDIR source=agent-guard.sh
. "${0%/*}/agent-guard.sh"
# shellcheck source-path=SCRIPTDIR source=agent-join.sh
. "${0%/*}/agent-join.sh"
# shellcheck source-path=SCRIPTDIR source=agent-place.sh
. "${0%/*}/agent-place.sh"
# shellcheck source-path=SCRIPTDIR source=agent-rehome.sh
. "${0%/*}/agent-rehome.sh"
# shellcheck source-path=SCRIPTDIR source=agent-recover.sh
. "${0%/*}/agent-recover.sh"
# shellcheck source-path=SCRIPTDIR source=agent-credentials.sh
. "${0%/*}/agent-credentials.sh"

MASTERS=${MASTERS:-3}
REPLICAS=${REPLICAS:-1}
WANT=$((MASTERS * (1 + REPLICAS)))
SLOW=${SLOW:-3}     # seconds between ticks while all is well
QUICK=${QUICK:-0.5} # and while it is not
LOOK_EVERY=${LOOK_EVERY:-10} # ticks between looks at all pods while all is well: half a minute

# Hundredths of a second between looks at all pods while all is not well:
REST_USUAL=45        # times patience
REST_WHILE_COPYING=150
REST_WHILE_PARTIAL=300 # slots are missing, or nodes are being introduced
REST_UNDECIDED=500   # since slots were missing last: pod 0 gives the roles, who gets none by then chooses one
REST_ALONE=600
ALONE_IN_FORMATION=400 # after the server is up: one that may be part of a formation waits for that first
ALONE_LATER=150

# Looks in a row that are not well, after which a pod takes its time: some ten seconds, and a minute.
UNREST_PATIENT=20
UNREST_SLOW=120

JOINED=$DATA/.joined # exists once this node's role was chosen; from then on the role is the administrator's matter

# Says a state that lasts once, not at every tick.
said=
say_once() {
  [ "$said" = "$*" ] || say "$*"
  said=$*
}

# An operation holds the cluster by a connection named rck8s-hold-<expiry, seconds since the epoch>.
# A server that does not say who is connected counts as held.
held() {
  clients=$(ask "$1" CLIENT LIST) || return 0
  case $clients in
  id=*name=rck8s-hold-*) ;;
  id=*) return 1 ;;
  *) return 0 ;;
  esac
  printf '%s\n' "$clients" | awk -v now="$(date +%s)" '
    { for (i = 1; i <= NF; i++) if ($i ~ /^name=rck8s-hold-[0-9]+$/ && substr($i, 17) + 0 > now) found = 1 }
    END { exit !found }'
}

# may_change [another node's address…]: true where the caller may change the cluster's shape.
# A newcomer asks the node it turns to as well, since the operation may have begun before the newcomer was there.
may_change() {
  for host in "$LOCAL" "$@"; do
    if held "$host"; then
      say_once "waiting: an operation is changing the cluster"
      return 1
    fi
  done
}

# start.sh began without the append-only file, which was not there yet; the server switches to it by writing one.
switch_append_only_on() {
  if [ "$append_only" = 0 ]; then
    say "data was loaded from dump.rdb; enabling the append-only file: $(ask "$LOCAL" CONFIG SET appendonly yes)"
  elif [ -z "$rewriting" ]; then
    rm -f "$DATA/.switch-append-only-on"
  fi
}

ticks=0
looked=0
well=
tick() {
  ticks=$((ticks + 1))
  well=
  [ -e "$RUN/began" ] || return 0
  [ "$known" != 0 ] || up_at=$begun
  read_local || return 0
  record
  look_after_credentials
  [ ! -e "$DATA/.writes-held" ] || release_writes
  [ ! -e "$DATA/.switch-append-only-on" ] || switch_append_only_on
  if [ -z "$trouble" ] && [ "$state" = ok ] && [ -e "$JOINED" ] && [ ! -e "$DATA/.writes-held" ]; then
    well=yes
    [ -z "$guarded" ] || guard_copy
    # More often after a start and while somebody does not know me: gossip alone does not heal that.
    [ -n "$unlisted" ] || [ "$ticks" -le 4 ] || [ $((ticks - looked)) -ge "$LOOK_EVERY" ] || return 0
  else
    guard_copy
    # Nothing but the serving of the slots is waited for, which no other pod can tell it.
    if [ -z "$trouble" ] && [ ! -e "$JOINED" ] && [ "$assigned" = 16384 ] && [ "$slots$role" != -master ]; then
      choose_role
      return 0
    fi
    # While a cluster is being formed only pod 0 has to look around, the others when that is over: the questions of many
    # that start at once would take the time that forming needs. A pod that is alone looks soon after its server is up, in
    # case there is a cluster to join, and then now and then, since pod 0 may be gone.
    rest=$((patience * REST_USUAL))
    [ "$assigned" = 16384 ] || partial_at=$begun
    case $ORDINAL,$known,$looked in
    0,*) ;;
    *,1,0) rest=$((up_at - looked_at + (ORDINAL < WANT ? ALONE_IN_FORMATION : ALONE_LATER))) ;;
    *,1,*) rest=$REST_ALONE ;;
    *)
      case $assigned,$view in
      16384,*handshake*) rest=$REST_WHILE_PARTIAL ;;
      16384,*) [ "$slots$role$joins" != -master ] || rest=$((partial_at - looked_at + REST_UNDECIDED)) ;;
      *) rest=$REST_WHILE_PARTIAL ;;
      esac
      ;;
    esac
    [ "$trouble" != copying ] || rest=$REST_WHILE_COPYING
    [ $((begun - looked_at)) -ge "$rest" ] || return 0
  fi
  looked_at=$begun
  # To be formed it takes an answer of every pod, and that of a busy one takes longer.
  if [ "$ORDINAL,$known" = 0,1 ]; then ASK_SECONDS=8; else ASK_SECONDS=3; fi
  look_around
  ASK_SECONDS=3
  looked=$ticks
  heal_addresses
  if [ "$assigned" -lt 16384 ]; then
    if [ "$known" = 1 ] && [ "$slots" = - ] && join_formed_cluster; then return 0; fi
    [ "$ORDINAL" = 0 ] && form
    return 0
  fi
  promote_orphan
  forget_ghosts
  if [ "$ORDINAL" = 0 ] && lost_owner && nothing_anywhere; then form; fi
  choose_role
  [ -z "$well" ] || rehome
}

# Sets now: hundredths of a second since the machine was started.
now() {
  read -r now _ </proc/uptime
  now=${now%.*}${now#*.}
}

napping=
trap 'kill $napping 2>/dev/null; exit 0' TERM INT
unrest=0
patience=1
known=0
now
looked_at=$now up_at=$now partial_at=$now
say "looking after $POD_NAME in $SET ($MASTERS masters, $REPLICAS replicas each)"
while :; do
  now
  begun=$now
  tick
  now
  took=$((now - begun))
  pause=$QUICK
  if [ -n "$well" ]; then
    unrest=0 patience=1 met='' greeted=''
    # Until it is noted how far this copy has come, it is nobody's copy.
    [ -z "$recorded" ] || [ -n "$rewriting" ] || pause=$SLOW
  else
    # A pod that is alone waits for others to come to it.
    [ "$ORDINAL" = 0 ] || [ "$known" != 1 ] || pause=1
    # What does not get well within a minute (a lost worker) is looked after at the slow pace.
    unrest=$((unrest + 1))
    if [ "$unrest" -gt "$UNREST_SLOW" ]; then pause=$SLOW patience=1; elif [ "$unrest" -gt "$UNREST_PATIENT" ]; then patience=2; fi
    # On a machine so busy that a tick takes longer than a second, the rest grows with its square: agents that hurry would
    # keep it busy. All wait for the one that forms, and then for the roles to be chosen.
    if [ "$took" -gt 100 ] && [ "$pause" != "$SLOW" ] && [ "$ORDINAL,$known" != 0,1 ]; then
      if [ -e "$JOINED" ]; then most=300; else most=140; fi
      [ "$took" -lt "$most" ] || took=$most
      pause=$((took * took / 10000)).$((took * took / 1000 % 10))
    fi
  fi
  # In the background, so that SIGTERM need not wait for it.
  sleep "$pause" &
  napping=$!
  wait $napping
done
