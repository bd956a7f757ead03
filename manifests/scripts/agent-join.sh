# shellcheck shell=sh disable=SC2034,SC2154
# Sourced by agent.sh: a pod that came later joins the cluster, then becomes a replica.

joins= # this pod came later, so that nobody but itself gives it a role
# Meets a pod that is part of a whole cluster; false where there is none.
join_formed_cluster() {
  [ "$size" = 0 ] || {
    say_once "alone, but holding $size keys: not touching them"
    return 0
  }
  target=$(printf '%s\n' "$pods" | pods_awk -v me="$my_id" '$ID != me && $KNOWN > 1 && $ASSIGNED == 16384 { print $IP, $ID; exit }')
  [ -n "$target" ] || return 1
  may_change "${target% *}" || return 0
  rm -f "$JOINED"
  joins=yes
  meet "${target% *}" "${target#* }" "joining its cluster" || :
}

incomplete=0 # looks of this newcomer in which somebody did not answer

# Once, and only as a member of a whole cluster: a node without slots becomes a replica. All who are undecided work out
# the same assignment from the same lines, so that newcomers spread though none of them knows what the others do.
choose_role() {
  [ ! -e "$JOINED" ] || return 0
  if [ "$slots" != - ] || [ "$role" = slave ]; then
    [ "$state" != ok ] || settle
    return 0
  fi
  case $view in *handshake*) return 0 ;; esac
  if [ "$size" != 0 ]; then
    say_once "without slots, but holding $size keys: not touching them"
    return 0
  fi
  # A replica that is too busy to answer would not be counted, and its master would get one too many: for some looks all
  # that are known are waited for, then gossip has to do for them.
  if [ "$(printf '%s\n' "$pods" | grep -c .)" -lt "$known" ] && [ "$incomplete" -lt 3 ]; then
    incomplete=$((incomplete + 1))
    return 0
  fi
  target=$(everybody | assignments | awk -v me="$my_id" '$2 == me { print $3, $4 }')
  [ -n "$target" ] || return 0
  may_change "${target% *}" || return 0
  answer=$(ask "$LOCAL" CLUSTER REPLICATE "${target#* }")
  say "replica of ${target#* }: $answer"
  [ "$answer" != OK ] || settle
}

# The lines of pods, and such lines for those that did not answer, from what the local server has heard of them.
everybody() {
  printf '%s\n%s\n' "$pods" "$view" | pods_awk '
    { sub(/\r$/, "") }
    $2 !~ /@/ { if (NF == LOST) { answered[$ID]; print }; next }
    $1 in answered || $3 ~ /myself|noaddr|handshake|(^|,)fail(,|$)/ { next }
    {
      ip = ordinal = $2
      sub(/:[0-9]+@.*/, "", ip)
      sub(/^[^,]*,/, "", ordinal); sub(/[.,].*/, "", ordinal); sub(/^.*-/, "", ordinal)
      slots = "-"
      for (i = 9; i <= NF; i++) if ($i !~ /^\[/) slots = slots == "-" ? $i : slots "," $i
      print ordinal, ip, $1, ($3 ~ /slave/ ? "slave" : "master"), $4, slots, "2 0 0", $7, ", - - - ,"
    }' | sort -n
}

# The role is chosen: what the formation shortened is as configured again.
settle() {
  [ "$(ask "$LOCAL" CONFIG SET cluster-node-timeout "$(configured_timeout)")" != OK ] || : >"$JOINED"
}

configured_timeout() { awk '$1 == "cluster-node-timeout" { ms = $2 } END { print ms ? ms : 15000 }' "$CONFIG"; }
