import ca.uhn.fhir.batch2.jobs.export.BulkDataExportProvider;
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.provider.JpaSystemProvider;
import ca.uhn.fhir.jpa.provider.ValueSetOperationProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.jpa.test.config.TestR4Config;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;

/**
 * HAPI FHIR R4 with an H2 database in memory, on a free port of 127.0.0.1 below /fhir.
 *
 * <p>The argument is the largest page. The port is printed as "port=N" when the server is ready; the
 * server ends when its standard input is closed, so that it cannot outlive whoever started it.
 */
public final class HapiServer {
    private static final int DATABASE_CONNECTIONS = 32;
    private static final int USUAL_PAGE = 20;

    private HapiServer() {}

    public static void main(String[] arguments) throws Exception {
        int largestPage = Integer.parseInt(arguments[0]);
        endWithStandardInput();
        TestR4Config.ourMaxThreads = DATABASE_CONNECTIONS;
        AnnotationConfigApplicationContext beans = new AnnotationConfigApplicationContext(TestR4Config.class);

        Server web = new Server(new InetSocketAddress("127.0.0.1", 0));
        ServletContextHandler root = new ServletContextHandler();
        ServletHolder servlet = new ServletHolder(fhirServer(beans, largestPage));
        servlet.setInitOrder(1);
        root.addServlet(servlet, "/fhir/*");
        web.setHandler(root);
        web.start();
        System.out.println("port=" + ((ServerConnector) web.getConnectors()[0]).getLocalPort());
        web.join();
    }

    private static RestfulServer fhirServer(AnnotationConfigApplicationContext beans, int largestPage) {
        JpaStorageSettings storage = beans.getBean(JpaStorageSettings.class);
        // Ids such as "0815" are admitted, and no answer is older than the question.
        storage.setResourceClientIdStrategy(JpaStorageSettings.ClientIdStrategyEnum.ANY);
        storage.setReuseCachedSearchResultsForMillis(null);

        RestfulServer fhir = new RestfulServer(beans.getBean(FhirContext.class));
        fhir.registerProviders(beans.getBean(ResourceProviderFactory.class).createProviders());
        fhir.registerProvider(beans.getBean(JpaSystemProvider.class));
        fhir.registerProvider(beans.getBean(ValueSetOperationProvider.class));
        fhir.registerProvider(beans.getBean(BulkDataExportProvider.class));
        fhir.setPagingProvider(beans.getBean(DatabaseBackedPagingProvider.class));
        fhir.setDefaultPageSize(Math.min(USUAL_PAGE, largestPage));
        fhir.setMaximumPageSize(largestPage);
        fhir.setServerConformanceProvider(
                new JpaCapabilityStatementProvider(
                        fhir,
                        beans.getBean(IFhirSystemDao.class),
                        storage,
                        beans.getBean(ISearchParamRegistry.class),
                        beans.getBean(IValidationSupport.class)));
        return fhir;
    }

    private static void endWithStandardInput() {
        Thread waiting = new Thread(() -> {
            try {
                while (System.in.read() >= 0) {}
            } catch (IOException closed) {
                // Closed is what was waited for.
            }
            Runtime.getRuntime().halt(0);
        });
        waiting.setDaemon(true);
        waiting.start();
    }
}
