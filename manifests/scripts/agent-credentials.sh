# shellcheck shell=sh disable=SC2034,SC2154
# Sourced by agent.sh: a password or certificates that were replaced while the pod runs. Kubernetes refreshes the files of
# a mounted Secret pod by pod, up to some 90 s apart, so for a while pods differ in what they know. No order of these
# refreshes may break a link: a server takes the new password in addition, its replication uses the new one once its
# master takes it, and the old one is dropped when it is gone from the Secret and every pod that answers takes the new one.

agreed=0      # ticks in a row in which every pod took the new password
told=         # what was said of it already
waiting_with= # the passwords with which there is nothing to do but wait until the old one is gone from the Secret

# Called at every tick; where nothing changed it starts no process. $RUN/password is what all pods are known to share,
# and $RUN/rotating is there until this server is done with the others.
look_after_credentials() {
  read_passwords
  [ "$TLS" != yes ] || look_after_certificates
  [ -n "$password" ] || return 0
  # The files were swapped between the two readings.
  [ "$previous" != "$password" ] || return 0
  if [ -z "$previous" ] && [ "${taken:-$password}" = "$password" ] && [ ! -e "$RUN/rotating" ]; then return 0; fi
  [ "$waiting_with" != "$password $previous" ] || return 0
  waiting_with=
  accept_password || return 0
  if every_pod_accepts; then agreed=$((agreed + 1)); else agreed=0; fi
  replicate || return 0
  # Twice, so that a replica that has just learned the password has signed in to its master with it.
  [ "$agreed" -ge 2 ] || return 0
  if [ -n "$previous" ]; then
    waiting_with="$password $previous"
    say "every pod accepts the new password; the previous one can be removed from the Secret"
  else
    drop_others
  fi
}

accepts() {
  case $(call "$2" "$1" PING) in NOAUTH* | WRONGPASS* | '') return 1 ;; esac
}

accept_password() {
  : >"$RUN/rotating" || return 1
  answer=$(printf 'ACL SETUSER default on ">%s"\n' "$(quoted "$password")" | ask "$LOCAL")
  [ "$told" = "accepted $answer $password" ] || say "the Secret holds another password; this server accepts it, too: $answer"
  told="accepted $answer $password"
  [ "$answer" = OK ]
}

# Sets what this server signs in to a master with: a replica what its master takes, the new password if it can be; a
# master, which may become anybody's replica, the new one once every pod takes it. False until it is the new one.
replicate() {
  host=$(ask "$LOCAL" INFO replication | awk -F: '{ sub(/\r$/, "") } $1 == "master_host" { print $2 }')
  for with in "$password" "$previous" "$taken" ''; do
    [ -n "$with" ] || continue
    if [ -n "$host" ]; then
      ! accepts "$host" "$with" || break
    elif [ "$with" != "$password" ] || [ "$agreed" -gt 0 ]; then
      break
    fi
  done
  [ -n "$with" ] || return 1
  answer=$(printf 'CONFIG SET masterauth "%s"\n' "$(quoted "$with")" | ask "$LOCAL")
  [ "$answer" = OK ] && [ "$with" = "$password" ]
}

drop_others() {
  # CONFIG SET alone does nothing where it was set to this password before.
  answer=$(printf 'ACL SETUSER default resetpass ">%s"\nCONFIG SET requirepass "%s"\n' "$(quoted "$password")" "$(quoted "$password")" | ask "$LOCAL")
  case $answer in OK*OK) answer=OK ;; esac
  say "every pod accepts the new password; this server no longer accepts any other: $answer"
  [ "$answer" = OK ] || return 0
  (umask 077 && printf '%s' "$password" >"$RUN/password.new") && mv "$RUN/password.new" "$RUN/password" && rm -f "$RUN/rotating"
  agreed=0 told=
}

# A pod that does not answer starts with what the Secret says by then.
every_pod_accepts() {
  find_peers
  for peer in $peers; do
    case $(call "$password" "$peer" PING) in NOAUTH* | WRONGPASS*) return 1 ;; esac
  done
}

# Kubernetes swaps the files of a mount by a folder with a time in its name, which a pattern finds.
certificates_seen=
look_after_certificates() {
  set -- "$CERTIFICATES"/..[0-9]*
  certificates_now=$*
  [ "$certificates_now" != "$certificates_seen" ] || return 0
  if [ -n "$certificates_seen" ]; then
    # All at once, since a certificate does not fit another key; the same paths are read again.
    answer=$(ask "$LOCAL" CONFIG SET tls-cert-file "$CERTIFICATES/tls.crt" tls-key-file "$CERTIFICATES/tls.key" tls-ca-cert-file "$CERTIFICATES/ca.crt")
    if [ "$answer" != OK ]; then
      say_once "the Secret's new certificates cannot be used, the old ones stay: $answer"
      return 0
    fi
    say "new certificates are in use"
  fi
  certificates_seen=$certificates_now
}
