#!/bin/sh
# The tree of processes that an agent may leave: $1 marks them in their command lines, $2 says how the agent ends.
sleep_long="exec sleep 86400.$1"
sh -c "$sleep_long" &
sh -c "trap '' TERM HUP INT; sleep 86400.$1 & wait; sleep 86400.$1" &
setsid sh -c "$sleep_long" &
setsid sh -c "trap '' TERM HUP INT; $sleep_long" &
(setsid sh -c "$sleep_long" &) &
(env -i setsid sleep "86400.$1" >/dev/null 2>&1 </dev/null &) &
# All of them are there before the end may come.
while [ "$(grep -slz "86400.$1" /proc/[0-9]*/cmdline 2>/dev/null | wc -l)" -lt 6 ]; do sleep 0.05; done
echo "$1" >>"$3"
case $2 in
succeed) exit 0 ;;
fail) exit 1 ;;
*) wait ;;
esac
