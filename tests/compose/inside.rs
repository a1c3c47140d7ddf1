//! The container from inside, and while its neighbours fail.

use std::{fs, process::Output};

use refiner_testchain::OPERATOR_KEY;
use serde_json::Value;

use crate::{
    engine::{must, repository},
    specimens::stream,
    stack::{IMAGE, Stack, USER},
};

fn lines(output: &Output) -> Vec<String> {
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// Columns of `ps` for every process of the daemon's container.
fn processes(stack: &Stack, columns: &str) -> Vec<Vec<String>> {
    let listed = must(&mut stack.docker(&["top", &stack.container("refiner"), "-o", columns]));
    listed.lines().skip(1).map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn container_holds_no_root_no_writable_system_no_readable_secret_and_no_zombie() {
    let Some(stack) = Stack::start(&["key-file.yml"]).await else { return };
    let given = stream(2);
    stack.announce(&given[..1]).await;
    stack.until_final(1).await;

    // Process 1, the daemon and its workers.
    let running = processes(&stack, "pid,uid,gid,args");
    assert!(running.len() >= 3, "{running:?}");
    for process in &running {
        assert_eq!(process[1..3], [USER, USER], "{running:?}");
        let status = fs::read_to_string(format!("/proc/{}/status", process[0])).unwrap_or_default();
        for line in ["NoNewPrivs:\t1", "CapPrm:\t0000000000000000", "CapBnd:\t0000000000000000", "Seccomp:\t2"] {
            assert!(status.is_empty() || status.contains(line), "{line}: {status}");
        }
    }

    let places = ["/", "/etc", "/dev", "/proc", "/sys", "/tmp", "/data"];
    let written = lines(&stack.exec(&[&["/inside", "write"][..], &places].concat()));
    let open: Vec<_> = written.iter().filter_map(|line| line.strip_suffix(": open")).collect();
    assert_eq!(open, ["/tmp", "/data"], "{written:?}");
    assert!(written[0].contains("Read-only file system"), "{written:?}");

    // One name of the engine's name server, one of /etc/hosts, and one of nothing.
    let resolved = lines(&stack.exec(&["/inside", "resolve", "ewm-das", "host.docker.internal", "no-such-service"]));
    let expected = ["ewm-das: open", "host.docker.internal: open", "no-such-service: No route to host"];
    assert_eq!(resolved, expected, "a static program resolves names without libraries");

    let secrets = lines(&stack.exec(&["/inside", "secrets"]));
    assert!(secrets.len() >= 12, "{secrets:?}");
    assert!(secrets.iter().all(|line| line.ends_with(": Permission denied")), "{secrets:?}");
    let shown = stack.inspect("refiner", "{{json .}}");
    assert!(!shown.contains(OPERATOR_KEY), "a key from a file is not shown by `docker inspect`");

    assert!(stack.exec(&["/inside", "orphans"]).status.success());
    stack
        .until("orphans are reaped", |stack| {
            let running = processes(stack, "pid,stat,args");
            running.iter().all(|process| !process[1].starts_with('Z') && process[2] != "/inside")
        })
        .await;
}

/// The state of a check of `refiner doctor` in a container, started with these options.
fn doctor(stack: &Stack, options: &[&str]) -> impl Fn(&str) -> String {
    let run = ["run", "--rm", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"];
    let printed = must(&mut stack.docker(&[&run, options, &[IMAGE, "doctor", "--json"]].concat()));
    let report: Value = serde_json::from_str(&printed).unwrap();
    move |what| {
        let all = report["checks"].as_array().unwrap();
        all.iter().find(|check| check["name"] == what).unwrap()["state"].as_str().unwrap().to_owned()
    }
}

/// True where the kernel lets users without rights have namespaces. The last two are of some distributions alone.
fn has_user_namespaces() -> bool {
    let value = |name: &str| fs::read_to_string(format!("/proc/sys/{name}")).ok().map(|text| text.trim().to_owned());
    value("user/max_user_namespaces").is_some_and(|most| most != "0")
        && value("kernel/unprivileged_userns_clone").is_none_or(|permitted| permitted == "1")
        && value("kernel/apparmor_restrict_unprivileged_userns").is_none_or(|restricted| restricted == "0")
}

#[tokio::test(flavor = "multi_thread")]
async fn container_stays_healthy_with_a_dead_pinner_and_a_frozen_head() {
    let Some(stack) = Stack::start(&["confined.yml"]).await else { return };
    let given = stream(2);
    stack.announce(&given[..1]).await;
    stack.until_final(1).await;
    let profile = format!("seccomp={}", repository().join("compose/seccomp.json").display());
    for (options, network) in [(&[][..], "warning"), (&["--security-opt", &profile], "ok")] {
        let state = doctor(&stack, options);
        for what in ["limits", "worker environment", "worker descriptors", "worker capabilities", "worker seccomp"] {
            assert_eq!(state(what), "ok", "{what}");
        }
        if network == "warning" || has_user_namespaces() {
            assert_eq!(state("worker network namespace"), network, "{options:?}");
        }
    }
    let checks = |stack: &Stack| -> Vec<Value> {
        let log = stack.inspect("refiner", "{{json .State.Health.Log}}");
        serde_json::from_str::<Value>(&log).unwrap().as_array().unwrap().clone()
    };
    stack.chain.rpc("evm_setAutomine", serde_json::json!([false])).await.unwrap();
    stack.compose(&["kill", "ewm-das"]);
    let before = checks(&stack).last().map(|check| check["Start"].clone()).unwrap_or_default();
    stack
        .until("five more checks", |stack| {
            let log = checks(stack);
            // The engine keeps the last five.
            log.len() == 5 && log.iter().all(|check| check["Start"].as_str() > before.as_str())
        })
        .await;
    for check in checks(&stack) {
        assert_eq!(check["ExitCode"], 0, "{check}");
        let output = check["Output"].as_str().unwrap();
        assert_eq!(output, "healthy: http://127.0.0.1:9568/livez: 200 alive\n");
    }
    assert_eq!(stack.inspect("refiner", "{{.State.Health.Status}} {{.RestartCount}}"), "healthy 0");

    // Mended, the rest is proved, by the same process.
    stack.up();
    stack.chain.rpc("evm_setAutomine", serde_json::json!([true])).await.unwrap();
    stack
        .until("the pinner is healthy", |stack| stack.inspect("ewm-das", "{{.State.Health.Status}}") == "healthy")
        .await;
    stack.announce(&given[1..]).await;
    stack.until_final(2).await;
    stack.assert_proved_once(&given).await;
}
