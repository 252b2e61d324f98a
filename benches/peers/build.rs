//! Code for the services of volo.

fn main() {
    #[cfg(feature = "volo")]
    volo();
}

#[cfg(feature = "volo")]
fn volo() {
    volo_build::Builder::protobuf()
        .add_service("idl/echo.proto")
        .include_dirs(vec!["idl".into()])
        .filename("volo_grpc_gen.rs".into())
        .write()
        .expect("code for idl/echo.proto");
    volo_build::Builder::thrift()
        .add_service("idl/echo.thrift")
        .filename("volo_thrift_gen.rs".into())
        .write()
        .expect("code for idl/echo.thrift");
}
