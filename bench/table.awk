# table.awk: record.sh's lines as the table of docs/performance.md.
#     awk -f bench/table.awk FILE
# A target is half of the fastest peer on one scheduler thread, in ns; see docs/performance.md.

function text(key) {
    return match($0, "\"" key "\":\"[^\"]*\"") ? \
        substr($0, RSTART + length(key) + 4, RLENGTH - length(key) - 5) : ""
}

function number(key) {
    return match($0, "\"" key "\":-?[0-9.]+") ? \
        substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 3) + 0 : ""
}

# The smallest and largest of "runs":[...]
function span(   list, count, i, least, most) {
    match($0, /"runs":\[[^]]*\]/)
    count = split(substr($0, RSTART + 8, RLENGTH - 9), list, ",")
    least = most = list[1] + 0
    for (i = 2; i <= count; i++) {
        if (list[i] + 0 < least) least = list[i] + 0
        if (list[i] + 0 > most) most = list[i] + 0
    }
    return short(least) "–" short(most)
}

function short(ns) {
    return ns >= 100 ? sprintf("%.0f", ns) : sprintf("%.1f", ns)
}

BEGIN {
    peer["pingpong"] = "82 Pony"; target["pingpong"] = 41
    peer["counting"] = "42 Pony"; target["counting"] = 21
    peer["counting-burst"] = "50 Go"; target["counting-burst"] = 25
    peer["fanin"] = "49 Go"; target["fanin"] = 24.5
    peer["fanin-burst"] = "49 Go"; target["fanin-burst"] = 24.5
    peer["forkjoin"] = "44 Go"
    peer["forkjoin-burst"] = "44 Go"
    peer["create"] = "574 Pony"; target["create"] = 287
    peer["create-alive"] = "574 Pony"
    peer["idle"] = "1190 Pony"; target["idle"] = 595
    peer["ring"] = "71 Pony"; target["ring"] = 35.5
    peer["ring503"] = "76 Pony"; target["ring503"] = 38
    peer["chameneos"] = "164 Pony"; target["chameneos"] = 82
    peer["big"] = "60 Pony"; target["big"] = 30
}

{
    name = text("bench")
    workers = number("workers")
    if (!(name in ns1) && !(name in ns2))
        order[++names] = name
    unit[name] = text("unit")
    if (workers == 1) { ns1[name] = number("ns_per_message"); span1[name] = span() }
    if (workers == 2) { ns2[name] = number("ns_per_message"); span2[name] = span() }
}

END {
    print "| benchmark | ns per | 1 worker | 2 workers | 2 : 1 | fastest peer | target | met |"
    print "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for (i = 1; i <= names; i++) {
        name = order[i]
        goal = name in target ? target[name] : ""
        met = goal == "" ? "" : ns1[name] <= goal ? "yes" : "no"
        printf "| %s | %s | %s [%s] | %s [%s] | %.2f | %s | %s | %s |\n", name, unit[name],
            short(ns1[name]), span1[name], short(ns2[name]), span2[name],
            ns1[name] ? ns2[name] / ns1[name] : 0, peer[name], goal, met
    }
}
