# Metrics of the group, gathered as a server would.
# Run it with: peer NAME --dev --script scripts/explore/prometheus.cmd

init
import github.com/prometheus/client_golang/prometheus
#> ^prometheus is github.com/prometheus/client_golang/prometheus, of github.com/prometheus/client_golang v
go reg := prometheus.NewRegistry(); asked := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "asked_total", Help: "Questions."}, []string{"peer"})
go size := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "members", Help: "Who is there."}, func() float64 { return float64(len(members())) }); reg.Register(asked), reg.Register(size)
#> ^<nil>, <nil> :: error, error$
go for _, m := range members() { asked.WithLabelValues(m.Name).Add(2) }
go found, err := reg.Gather(); len(found), err
#> ^2, <nil> :: int, error$
go for _, f := range found { fmt.Println(f.GetName(), f.GetMetric()[0]) }
#> ^asked_total .*value:"alice".*value:2
#> ^members .*gauge:\{value:[12]\}
