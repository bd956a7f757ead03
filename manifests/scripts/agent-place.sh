# shellcheck shell=sh disable=SC2154
# Sourced by agent.sh: which newcomer follows which master.

# Prints "<ip> <id> <master's ip> <master's id>" for each newcomer: which master it shall follow. Newcomers are spread evenly, then so that a shard lives
# on several workers; among equals newcomer i takes the (i mod masters)th in the order of their slots. All who are
# undecided work the same out of the same lines: of all best plans it is the first in the order of the ordinals, which
# stays the first one while some have decided already and others have not.
assignments() {
  pods_awk '
    function low(s) { split(s, a, /[-,]/); return a[1] + 0 }
    # What a shard costs: as many copies as the others have, one on another worker, then each on a worker of its own.
    function shard_cost(m,   i, j, cost, apart) {
      cost = 10000 * size[m] * size[m]
      for (i = 1; i <= size[m]; i++) {
        if (!same(worker[m], at[m, i])) apart = 1; else cost++
        for (j = 1; j < i; j++) cost += same(at[m, j], at[m, i])
      }
      return size[m] && !apart ? cost + 100 : cost
    }
    function same(a, b) { return a != "-" && a == b }
    function put(m, w) { at[m, ++size[m]] = w }
    function take(m, w,   i) {
      for (i = 1; at[m, i] != w; i++);
      at[m, i] = at[m, size[m]--]
    }
    function total(   m, sum) { for (m = 1; m <= count; m++) sum += shard_cost(m); return sum }
    # The newcomers from the given one on, each where it costs least, then exchanged and moved as long as that helps.
    function solve(from,   i, j, m, best, least, cost, before, better, a, b) {
      for (i = from; i <= newcomers; i++) {
        least = -1
        for (j = 0; j < count; j++) {
          m = (ordinal[i] + j) % count + 1
          cost = -shard_cost(m); put(m, home[i]); cost += shard_cost(m); take(m, home[i])
          if (least < 0 || cost < least) { least = cost; best = m }
        }
        put(best, home[i]); choice[i] = best
      }
      for (better = 1; better; ) {
        better = 0
        for (i = from; i <= newcomers; i++) {
          for (m = 1; m <= count; m++) {
            a = choice[i]
            if (m == a) continue
            before = shard_cost(a) + shard_cost(m)
            take(a, home[i]); put(m, home[i])
            if (shard_cost(a) + shard_cost(m) < before) { choice[i] = m; better = 1 }
            else { take(m, home[i]); put(a, home[i]) }
          }
          for (j = i + 1; j <= newcomers; j++) {
            a = choice[i]; b = choice[j]
            if (a == b || home[i] == home[j]) continue
            before = shard_cost(a) + shard_cost(b)
            take(a, home[i]); take(b, home[j]); put(a, home[j]); put(b, home[i])
            if (shard_cost(a) + shard_cost(b) < before) { choice[i] = b; choice[j] = a; better = 1 }
            else { take(a, home[j]); take(b, home[i]); put(a, home[i]); put(b, home[j]) }
          }
        }
      }
      cost = total()
      for (i = from; i <= newcomers; i++) take(choice[i], home[i])
      return cost
    }
    $ROLE == "slave" { follows[++replicas] = $MASTER; theirs[replicas] = $WORKER; next }
    $SLOTS != "-" {
      for (j = ++count; j > 1 && low(slots[j - 1]) > low($SLOTS); j--) { id[j] = id[j - 1]; slots[j] = slots[j - 1]; worker[j] = worker[j - 1]; ip[j] = ip[j - 1] }
      id[j] = $ID; slots[j] = $SLOTS; worker[j] = $WORKER; ip[j] = $IP; next
    }
    $KNOWN > 1 { newcomer[++newcomers] = $IP " " $ID; ordinal[newcomers] = $ORDINAL; home[newcomers] = $WORKER }
    END {
      if (!count) exit
      for (i = 1; i <= replicas; i++) for (m = 1; m <= count; m++) if (id[m] == follows[i]) put(m, theirs[i])
      goal = solve(1)
      for (n = 1; n <= newcomers; n++) {
        least = -1
        for (c = 0; c < count && (least < 0 || least > goal); c++) {
          m = (ordinal[n] + c) % count + 1
          put(m, home[n])
          cost = solve(n + 1)
          if (least < 0 || cost < least) { least = cost; best = m }
          take(m, home[n])
        }
        put(best, home[n])
        print newcomer[n], ip[best], id[best]
      }
    }'
}
